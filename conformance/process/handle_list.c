/* PROC_THREAD_ATTRIBUTE_HANDLE_LIST: of the inheritable handles only those in a list go over
 * to the child (H25, R23). */
#include "../check.h"

static HANDLE listed, other, plain;

/* Starts a child that says which of the three events it can set: 1, 2 and 4. */
static unsigned long child(HANDLE *list, SIZE_T bytes, BOOL inherit, DWORD cb, DWORD *error)
{
    STARTUPINFOEXA startup;
    PROCESS_INFORMATION made;
    char arguments[100];
    unsigned char room[256];
    SIZE_T size = sizeof room;
    BOOL ok;
    memset(&startup, 0, sizeof startup);
    startup.StartupInfo.cb = cb;
    startup.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)room;
    InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size);
    if (!UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, list, bytes,
        NULL, NULL)) {
        *error = GetLastError();
        return 98;
    }
    sprintf(arguments, "set %lu %lu %lu", number(listed), number(other), number(plain));
    SetLastError(0xBEEF);
    ok = again(arguments, inherit, EXTENDED_STARTUPINFO_PRESENT, &startup.StartupInfo, NULL, &made);
    *error = ok ? 0 : GetLastError();
    DeleteProcThreadAttributeList(startup.lpAttributeList);
    return ok ? ended(&made) : 99;
}

#define CHILD(name, list, bytes, inherit, cb) do { DWORD e_; unsigned long r_ = \
    child(list, bytes, inherit, cb, &e_); put(name, r_, e_); } while (0)

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
    SIZE_T size = 0;
    HANDLE list[4];
    unsigned char room[256];
    LPPROC_THREAD_ATTRIBUTE_LIST attributes = (LPPROC_THREAD_ATTRIBUTE_LIST)room;

    if (argc == 5)
        return (SetEvent(handle(argv[2])) ? 1 : 0) + (SetEvent(handle(argv[3])) ? 2 : 0)
            + (SetEvent(handle(argv[4])) ? 4 : 0);
    if (argc > 1)
        return 77;

    /* The values are to mean nothing in a child by themselves. */
    for (size = 0; size < 300; size++)
        CreateEventA(NULL, TRUE, FALSE, NULL);
    listed = CreateEventA(&inheritable, TRUE, FALSE, NULL);
    other = CreateEventA(&inheritable, TRUE, FALSE, NULL);
    plain = CreateEventA(NULL, TRUE, FALSE, NULL);

    size = 0;
    TRUTH("size_query", InitializeProcThreadAttributeList(NULL, 1, 0, &size));
    VALUE("size_is_told", size > 0);
    size = 1;
    TRUTH("too_small", InitializeProcThreadAttributeList(attributes, 1, 0, &size));
    VALUE("size_is_told_again", size > 1);
    size = sizeof room;
    TRUTH("initialize", InitializeProcThreadAttributeList(attributes, 1, 0, &size));
    list[0] = listed;
    TRUTH("half_a_handle", UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, list,
        sizeof(HANDLE) + 3, NULL, NULL));
    TRUTH("unknown_attribute", UpdateProcThreadAttribute(attributes, 0, 0x20FFF, list, sizeof(HANDLE), NULL, NULL));
    TRUTH("update", UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, list,
        sizeof(HANDLE), NULL, NULL));
    DeleteProcThreadAttributeList(attributes);

    list[0] = listed;
    CHILD("only_listed", list, sizeof(HANDLE), TRUE, sizeof(STARTUPINFOEXA));
    WAIT("listed_set", WaitForSingleObject(listed, 0));
    WAIT("other_not_set", WaitForSingleObject(other, 0));
    list[1] = other;
    CHILD("both_listed", list, 2 * sizeof(HANDLE), TRUE, sizeof(STARTUPINFOEXA));
    list[1] = plain;
    CHILD("not_inheritable", list, 2 * sizeof(HANDLE), TRUE, sizeof(STARTUPINFOEXA));
    CHILD("without_inheritance", list, sizeof(HANDLE), FALSE, sizeof(STARTUPINFOEXA));
    CHILD("plain_record", list, sizeof(HANDLE), TRUE, sizeof(STARTUPINFOA));
    {
        char arguments[100];
        sprintf(arguments, "set %lu %lu %lu", number(listed), number(other), number(plain));
        VALUE("without_list", run(arguments, TRUE));
    }
    return 0;
}
