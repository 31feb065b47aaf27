/* Calls with more than one thing wrong: which of them decides the error. And successes that set the last error. */
#include "../check.h"

#define NEVER ((HANDLE)(ULONG_PTR)0x7770)

/* A call whose failure is a number of its own. */
#define GIVES(name, call) do { DWORD r_; SetLastError(0xBEEF); r_ = (DWORD)(call); \
    put(name, r_, r_ == 0xFFFFFFFF ? GetLastError() : 0); } while (0)

int main(void)
{
    HANDLE section, set, held, copy, file, both[3];
    void *view;

    section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
    set = CreateEventA(NULL, TRUE, TRUE, NULL);
    held = CreateMutexA(NULL, TRUE, NULL);

    /* Alignment is looked at before the handle, the handle before the access. */
    MADE("view_of_nothing", view, MapViewOfFile(NEVER, FILE_MAP_READ, 0, 0, 0));
    MADE("unaligned_view_of_nothing", view, MapViewOfFile(NEVER, FILE_MAP_READ, 0, 4096, 0));
    MADE("view_of_nothing_at_odd_place", view, MapViewOfFileEx(NEVER, FILE_MAP_READ, 0, 0, 0, (void *)0x10001000));
    MADE("unaligned_view_of_event", view, MapViewOfFile(set, FILE_MAP_READ, 0, 1, 0));

    /* Protection, then size, then the file. */
    MADE("bad_protection_of_nothing", view, CreateFileMappingA(NEVER, NULL, PAGE_NOACCESS, 0, 4096, NULL));
    MADE("bad_file", view, CreateFileMappingA(NEVER, NULL, PAGE_READWRITE, 0, 4096, NULL));
    MADE("image_of_no_size", view, CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_IMAGE, 0, 0, NULL));
    MADE("event_as_file", view, CreateFileMappingA(set, NULL, PAGE_READWRITE, 0, 4096, NULL));

    /* Origin, then distance, then the handle. */
    GIVES("seek_in_nothing", SetFilePointer(NEVER, 0, NULL, FILE_BEGIN));
    GIVES("seek_before_nothing", SetFilePointer(NEVER, -1, NULL, FILE_BEGIN));
    GIVES("seek_from_nowhere", SetFilePointer(NEVER, 0, NULL, 3));

    /* The first bad handle of several decides, and only then whether one is there twice. */
    both[0] = set, both[1] = section, both[2] = NEVER;
    WAIT("no_right_before_nothing", WaitForMultipleObjects(3, both, FALSE, 0));
    both[1] = NEVER, both[2] = section;
    WAIT("nothing_before_no_right", WaitForMultipleObjects(3, both, TRUE, 0));
    both[1] = set, both[2] = section;
    WAIT("twice_before_no_right", WaitForMultipleObjects(3, both, TRUE, 0));
    WAIT("section", WaitForSingleObject(section, 0));
    WAIT("signal_section_wait_section", SignalObjectAndWait(section, section, 0, FALSE));
    WAIT("signal_held_wait_section", SignalObjectAndWait(held, section, 0, FALSE));
    TRUTH("still_held", ReleaseMutex(held));

    /* Rights that an object does not have are dropped from a copy and refused by name. */
    copy = NULL;
    TRUTH("copy_with_strange_rights", DuplicateHandle(GetCurrentProcess(), set, GetCurrentProcess(), &copy,
        SYNCHRONIZE | FILE_MAP_READ, FALSE, 0));
    WAIT("wait_for_it", WaitForSingleObject(copy, 0));
    TRUTH("reset_it", ResetEvent(copy));
    CloseHandle(copy);

    /* Pseudo handles have flags, which cannot be changed. */
    TRUTH("mark_pseudo", SetHandleInformation(GetCurrentProcess(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    TRUTH("mark_nothing", SetHandleInformation(NEVER, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));

    SetLastError(0xBEEF);
    file = CreateFileA("order.dat", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    put("new_file", file != INVALID_HANDLE_VALUE, GetLastError());
    CloseHandle(file);
    SetLastError(0xBEEF);
    file = CreateFileA("order.dat", GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    put("old_file", file != INVALID_HANDLE_VALUE, GetLastError());
    CloseHandle(file);
    SetLastError(0xBEEF);
    file = CreateFileA("order.dat", GENERIC_READ, 0, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    put("either_file", file != INVALID_HANDLE_VALUE, GetLastError());
    CloseHandle(file);
    TRUTH("delete", DeleteFileA("order.dat"));
    CloseHandle(section);
    return 0;
}
