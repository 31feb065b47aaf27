/* The W functions: names, program, command line, words of it, environment, folder. */
#include "../check.h"
#include <shellapi.h>

static int child(void)
{
    WCHAR value[64], name[64];
    HANDLE event;
    const char *line = shown(GetCommandLineW());
    text("child_line", line + strlen(line) - strlen("second  third"));
    VALUE("child_variable", GetEnvironmentVariableW(widen("TC_WIDE", name), value, 64));
    text("child_variable_text", shown(value));
    value[0] = 0x20AC, value[1] = '-', value[2] = 'w', value[3] = 0;
    event = OpenEventW(EVENT_MODIFY_STATE, FALSE, value);
    return event && SetEvent(event) ? 21 : (int)GetLastError();
}

int main(int argc, char **argv)
{
    WCHAR name[300], line[600], program[300], value[64], folder[300];
    HANDLE event, same, mutex, semaphore, mapping;
    STARTUPINFOW startup;
    PROCESS_INFORMATION made;
    DWORD code = 0, length;
    int count = 0, i;
    BOOL started;
    WCHAR **words;

    if (argc > 1)
        return child();
    (void)argv;

    name[0] = 0x20AC, name[1] = '-', name[2] = 'w', name[3] = 0;
    CREATED("event", event, CreateEventW(NULL, TRUE, FALSE, name));
    CREATED("event_again", same, CreateEventExW(NULL, name, CREATE_EVENT_MANUAL_RESET, EVENT_ALL_ACCESS));
    CREATED("mutex_of_that_name", mutex, CreateMutexW(NULL, FALSE, name));
    CREATED("mutex", mutex, CreateMutexExW(NULL, widen("tc-wide-mutex", name), CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS));
    TRUTH("mutex_is_owned", ReleaseMutex(mutex));
    MADE("mutex_opened", same, OpenMutexW(SYNCHRONIZE, FALSE, name));
    CREATED("semaphore", semaphore, CreateSemaphoreExW(NULL, 1, 2, widen("tc-wide-semaphore", name), 0, SEMAPHORE_ALL_ACCESS));
    MADE("semaphore_opened", same, OpenSemaphoreW(SYNCHRONIZE, FALSE, name));
    WAIT("semaphore_taken", WaitForSingleObject(same, 0));
    TRUTH("semaphore_released", ReleaseSemaphore(semaphore, 1, NULL));
    TRUTH("semaphore_not_by_this_one", ReleaseSemaphore(same, 1, NULL));
    for (i = 0; i < 280; i++)
        name[i] = 'n';
    name[280] = 0;
    CREATED("long_name", mapping, CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name));
    MADE("long_name_opened", same, OpenFileMappingW(FILE_MAP_READ, FALSE, name));
    name[279] = 0;
    MADE("shorter_name_missing", same, OpenFileMappingW(FILE_MAP_READ, FALSE, name));

    value[0] = 'v', value[1] = 0xE4, value[2] = 0x4E2D, value[3] = 0;
    TRUTH("set_variable", SetEnvironmentVariableW(widen("TC_WIDE", name), value));
    length = GetModuleFileNameW(NULL, program, 300);
    VALUE("program_has_length", length > 0 && length < 300 && program[length] == 0);
    SetLastError(0xBEEF);
    VALUE("program_cut", GetModuleFileNameW(NULL, value, 4));
    VALUE("program_cut_error", GetLastError());
    VALUE("program_cut_end", value[3]);
    length = GetCurrentDirectoryW(300, folder);
    VALUE("folder_needs", GetCurrentDirectoryW(2, value) == length + 1);

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    line[0] = '"';
    for (i = 0; program[i]; i++)
        line[i + 1] = program[i];
    widen("\" second  third", line + i + 1);
    /* The child prints before the parent does. */
    started = CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, folder, &startup, &made);
    code = WaitForSingleObject(made.hProcess, 30000);
    VALUE("started", started);
    VALUE("child_ends", code);
    TRUTH("child_code_read", GetExitCodeProcess(made.hProcess, &code));
    VALUE("child_code", code);
    WAIT("event_set", WaitForSingleObject(event, 0));

    words = CommandLineToArgvW(GetCommandLineW(), &count);
    VALUE("own_words", count);
    LocalFree(words);
    return 0;
}
