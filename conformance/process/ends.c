/* Exit codes of 32 bits (R26), children created suspended (R5), threads. */
#include "../check.h"

static DWORD WINAPI returns(LPVOID parameter)
{
    return (DWORD)(ULONG_PTR)parameter;
}

static DWORD WINAPI leaves(LPVOID parameter)
{
    ExitThread((DWORD)(ULONG_PTR)parameter);
    return 1;
}

static DWORD WINAPI ends_later(LPVOID parameter)
{
    WaitForSingleObject((HANDLE)parameter, 20000);
    ExitProcess(0xABCD1234);
    return 0;
}

static unsigned long code_of(HANDLE thread)
{
    DWORD code = 0xBAD;
    return GetExitCodeThread(thread, &code) ? code : 0xBADBAD;
}

int main(int argc, char **argv)
{
    static const char *const how[] = { "return 256", "return -1", "exit 305419896", "exit 3221225477", "thread 77" };
    PROCESS_INFORMATION made;
    HANDLE thread, event, copy;
    char label[100], name[80];
    DWORD id = 0;
    unsigned i;

    if (argc > 2) {
        unsigned long code = strtoul(argv[2], NULL, 10);
        if (!strcmp(argv[1], "return"))
            return (int)atol(argv[2]);
        if (!strcmp(argv[1], "exit"))
            ExitProcess((UINT)code);
        if (!strcmp(argv[1], "thread")) {
            /* The first thread ends, another one ends the process. */
            event = CreateEventA(NULL, TRUE, FALSE, NULL);
            CreateThread(NULL, 0, ends_later, event, 0, NULL);
            SetEvent(event);
            ExitThread((DWORD)code);
        }
        event = OpenEventA(EVENT_MODIFY_STATE, FALSE, argv[2]);
        return event && SetEvent(event) ? 5 : 6;
    }

    for (i = 0; i < sizeof how / sizeof *how; i++) {
        strcpy(label, how[i]);
        *strchr(label, ' ') = '_';
        VALUE(label, run(how[i], FALSE));
    }
    memset(&made, 0, sizeof made);
    event = CreateEventA(NULL, TRUE, FALSE, named(name, "tc-ends"));
    sprintf(label, "set %s", name);
    TRUTH("suspended", again(label, FALSE, CREATE_SUSPENDED, NULL, NULL, &made));
    WAIT("has_not_run", WaitForSingleObject(event, 300));
    WAIT("has_not_ended", WaitForSingleObject(made.hProcess, 0));
    VALUE("thread_of_it_is_active", code_of(made.hThread));
    VALUE("resume", ResumeThread(made.hThread));
    WAIT("runs", WaitForSingleObject(event, 20000));
    VALUE("ended", ended(&made));

    TRUTH("suspended_again", again(label, FALSE, CREATE_SUSPENDED, NULL, NULL, &made));
    TRUTH("terminated_before_it_ran", TerminateProcess(made.hProcess, 0x80000001));
    VALUE("its_code", ended(&made));
    TRUTH("contradicting_flags", again("return 0", FALSE, DETACHED_PROCESS | CREATE_NEW_CONSOLE, NULL, NULL, &made));

    MADE("thread", thread, CreateThread(NULL, 0, returns, (LPVOID)0x12345678, 0, &id));
    VALUE("thread_id", id != 0 && id == GetThreadId(thread));
    WAIT("thread_ends", WaitForSingleObject(thread, 20000));
    VALUE("thread_code", code_of(thread));
    thread = CreateThread(NULL, 0, leaves, (LPVOID)0xFFFFFFFE, 0, NULL);
    WAIT("thread_leaves", WaitForSingleObject(thread, 20000));
    VALUE("thread_left_with", code_of(thread));
    thread = CreateThread(NULL, 65536, returns, (LPVOID)9, CREATE_SUSPENDED, &id);
    WAIT("thread_waits", WaitForSingleObject(thread, 200));
    VALUE("thread_active", code_of(thread));
    MADE("thread_opened", copy, OpenThread(SYNCHRONIZE, FALSE, id));
    VALUE("resume_thread", ResumeThread(thread));
    WAIT("thread_runs", WaitForSingleObject(copy, 20000));
    VALUE("resumed_code", code_of(thread));
    VALUE("resume_refused", ResumeThread(copy));
    VALUE("resume_refused_with", GetLastError());
    MADE("no_such_thread", copy, OpenThread(SYNCHRONIZE, FALSE, 0));
    return 0;
}
