/* What a process can tell about itself and its threads: dates, priorities, terminals that are none; and the C
 * runtime's way to start threads. */
#include <process.h>
#include "../check.h"

static unsigned WINAPI body(void *number)
{
    _endthreadex(*(unsigned *)number);
    return 0;
}

static BOOL WINAPI handler(DWORD event)
{
    return event == CTRL_C_EVENT;
}

static void date(const char *label, const SYSTEMTIME *time)
{
    char line[64];
    sprintf(line, "%u-%u-%u/%u %u:%u:%u.%u", time->wYear, time->wMonth, time->wDay, time->wDayOfWeek, time->wHour,
        time->wMinute, time->wSecond, time->wMilliseconds);
    text(label, line);
}

int main(void)
{
    SYSTEMTIME time, bad;
    FILETIME file, same, local, made, over, kernel, user, now;
    HANDLE read, write, thread;
    unsigned number = 0xABCDEF;
    char buffer[MAX_PATH];
    DWORD size, mode = 7;
    BOOL wow = TRUE;
    DWORD_PTR mine = 0, all = 0;

    file.dwHighDateTime = 0x01C00000, file.dwLowDateTime = 0x12345678;
    TRUTH("to_date", FileTimeToSystemTime(&file, &time));
    date("date", &time);
    TRUTH("from_date", SystemTimeToFileTime(&time, &same));
    VALUE("date_is_earlier", (DWORD)CompareFileTime(&same, &file));
    VALUE("date_is_same", (DWORD)CompareFileTime(&file, &file));
    TRUTH("to_local", FileTimeToLocalFileTime(&file, &local));
    TRUTH("and_back", LocalFileTimeToFileTime(&local, &same));
    VALUE("same_again", (DWORD)CompareFileTime(&same, &file));
    bad = time;
    bad.wMonth = 2, bad.wDay = 30;
    TRUTH("no_such_date", SystemTimeToFileTime(&bad, &same));
    file.dwHighDateTime = 0xFFFFFFFF;
    TRUTH("no_such_time", FileTimeToSystemTime(&file, &time));
    GetSystemTime(&time);
    VALUE("this_century", time.wYear >= 2024 && time.wYear < 2100);
    GetLocalTime(&time);
    VALUE("here_too", time.wYear >= 2024 && time.wYear < 2100);

    GetSystemTimeAsFileTime(&now);
    TRUTH("times", GetProcessTimes(GetCurrentProcess(), &made, &over, &kernel, &user));
    VALUE("began_before_now", CompareFileTime(&made, &now) <= 0);
    TRUTH("times_of_nothing", GetProcessTimes(NULL, &made, &over, &kernel, &user));

    VALUE("class", GetPriorityClass(GetCurrentProcess()));
    TRUTH("set_class", SetPriorityClass(GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS));
    VALUE("class_set", GetPriorityClass(GetCurrentProcess()));
    TRUTH("set_no_class", SetPriorityClass(GetCurrentProcess(), 3));
    VALUE("priority", (DWORD)GetThreadPriority(GetCurrentThread()));
    TRUTH("set_priority", SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL));
    VALUE("priority_set", (DWORD)GetThreadPriority(GetCurrentThread()));
    TRUTH("wow", IsWow64Process(GetCurrentProcess(), &wow));
    VALUE("not_wow", wow);
    TRUTH("masks", GetProcessAffinityMask(GetCurrentProcess(), &mine, &all));
    VALUE("masks_fit", mine != 0 && (mine & ~all) == 0);
    VALUE("thread_is_ours", GetProcessIdOfThread(GetCurrentThread()) == GetCurrentProcessId());

    size = sizeof buffer;
    TRUTH("image", QueryFullProcessImageNameA(GetCurrentProcess(), 0, buffer, &size));
    VALUE("image_length", size == strlen(buffer) && strstr(buffer, "state") != NULL);
    size = 3;
    TRUTH("image_no_room", QueryFullProcessImageNameA(GetCurrentProcess(), 0, buffer, &size));
    size = sizeof buffer;
    TRUTH("computer", GetComputerNameA(buffer, &size));
    VALUE("computer_length", size == strlen(buffer) && size > 0);
    size = sizeof buffer;
    TRUTH("user", GetUserNameA(buffer, &size));
    VALUE("user_length", size == strlen(buffer) + 1 && size > 1);
    size = 1;
    TRUTH("user_no_room", GetUserNameA(buffer, &size));

    thread = (HANDLE)_beginthreadex(NULL, 0, body, &number, 0, NULL);
    WAIT("runtime_thread", WaitForSingleObject(thread, 20000));
    GetExitCodeThread(thread, &size);
    VALUE("runtime_code", size);
    CloseHandle(thread);

    CreatePipe(&read, &write, NULL, 0);
    TRUTH("pipe_is_no_terminal", GetConsoleMode(read, &mode));
    VALUE("mode_untouched", mode);
    TRUTH("write_terminal", WriteConsoleA(write, "x", 1, &size, NULL));
    TRUTH("add_handler", SetConsoleCtrlHandler(handler, TRUE));
    TRUTH("remove_handler", SetConsoleCtrlHandler(handler, FALSE));
    TRUTH("remove_again", SetConsoleCtrlHandler(handler, FALSE));
    SetErrorMode(SEM_FAILCRITICALERRORS);
    VALUE("error_mode", SetErrorMode(0));
    VALUE("debugger", IsDebuggerPresent());
    OutputDebugStringA("nobody listens\n");
    return 0;
}
