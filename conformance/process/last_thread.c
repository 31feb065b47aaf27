/* The end of the first thread is not the end of its process (R27): the others go on, what the process holds can be
 * reached, what the thread owned is abandoned, and the last thread's code becomes the process's (R26). */
#include "../check.h"

static HANDLE go;

static DWORD WINAPI last(LPVOID code)
{
    if (WaitForSingleObject(go, 20000) != WAIT_OBJECT_0)
        return 98;
    /* Mutexes are abandoned a moment before their owner's end is complete. */
    Sleep(100);
    return (DWORD)(ULONG_PTR)code;
}

static DWORD WINAPI leaving(LPVOID code)
{
    ExitThread((DWORD)(ULONG_PTR)code);
    return 97;
}

static int child(char **argv)
{
    char name[64];
    HANDLE thread, mutex, here, both[2];
    go = handle(argv[2]);
    if (!strcmp(argv[1], "alone"))
        ExitThread(0x12345678);
    if (!strcmp(argv[1], "after")) {
        thread = CreateThread(NULL, 0, leaving, (LPVOID)5, 0, NULL);
        WaitForSingleObject(thread, 20000);
        ExitThread(6);
    }
    if (!strcmp(argv[1], "returns")) {
        CreateThread(NULL, 0, last, (LPVOID)1, 0, NULL);
        return 8;
    }
    sprintf(name, "last-section-%s", argv[3]);
    if (!CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name))
        return 90;
    sprintf(name, "last-mutex-%s", argv[3]);
    mutex = CreateMutexA(NULL, TRUE, name);
    sprintf(name, "last-here-%s", argv[3]);
    here = OpenEventA(EVENT_ALL_ACCESS, FALSE, name);
    if (!mutex || !here)
        return 91;
    /* A wait of this kind may need a thread that does not count. */
    both[0] = OpenProcess(SYNCHRONIZE, FALSE, strtoul(argv[3], NULL, 10));
    both[1] = go;
    if (WaitForMultipleObjects(2, both, FALSE, 50) != WAIT_TIMEOUT)
        return 92;
    thread = CreateThread(NULL, 0, leaving, (LPVOID)2, 0, NULL);
    WaitForSingleObject(thread, 20000);
    CreateThread(NULL, 0, last, (LPVOID)0xC0FFEE, 0, NULL);
    SetEvent(here);
    ExitThread(3);
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
    char line[128], name[64];
    PROCESS_INFORMATION made;
    HANDLE here, mutex, section;
    DWORD code;

    if (argc > 2)
        return child(argv);

    go = CreateEventA(&inheritable, TRUE, FALSE, NULL);
    sprintf(line, "alone %lu", number(go));
    VALUE("alone", run(line, TRUE));
    sprintf(line, "after %lu", number(go));
    VALUE("after_another", run(line, TRUE));
    sprintf(line, "returns %lu", number(go));
    VALUE("returning_ends_all", run(line, TRUE));

    here = CreateEventA(NULL, TRUE, FALSE, named(name, "last-here"));
    sprintf(line, "first %lu %lu", number(go), (unsigned long)GetCurrentProcessId());
    TRUTH("started", again(line, TRUE, 0, NULL, NULL, &made));
    WAIT("its_first_thread_ends", WaitForSingleObject(here, 20000));
    MADE("mutex", mutex, OpenMutexA(SYNCHRONIZE, FALSE, named(name, "last-mutex")));
    WAIT("abandoned", WaitForSingleObject(mutex, 20000));
    WAIT("process_goes_on", WaitForSingleObject(made.hProcess, 0));
    code = 0;
    TRUTH("ask", GetExitCodeProcess(made.hProcess, &code));
    VALUE("still_active", code);
    MADE("what_it_holds", section, OpenFileMappingA(FILE_MAP_READ, FALSE, named(name, "last-section")));
    CloseHandle(section);
    SetEvent(go);
    VALUE("code_of_the_last", ended(&made));
    SetLastError(0);
    MADE("gone", section, OpenFileMappingA(FILE_MAP_READ, FALSE, name));
    return 0;
}
