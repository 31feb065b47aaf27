/* processthreadsapi.h: starting, finding and ending processes and threads.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/process.md
 * (R1 to R32); what a child inherits: docs/handles.md, section 6.
 *
 * A process or thread and its handles are two things: closing a handle ends nothing, and the
 * exit code stays readable as long as somebody holds one. Handles can be waited for
 * (synchapi.h): they are signalled when the process or thread has ended.
 */
#ifndef TRANSOM_PROCESSTHREADSAPI_H
#define TRANSOM_PROCESSTHREADSAPI_H

#include "minwindef.h"
#include "minwinbase.h"

/* Flags of CreateProcess. Obeyed: CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT,
 * EXTENDED_STARTUPINFO_PRESENT, DETACHED_PROCESS and CREATE_NO_WINDOW (no terminal),
 * CREATE_NEW_PROCESS_GROUP. The others are accepted: consoles and debuggers of that kind do
 * not exist here. */
#define DEBUG_PROCESS 0x00000001
#define DEBUG_ONLY_THIS_PROCESS 0x00000002
#define CREATE_SUSPENDED 0x00000004
#define DETACHED_PROCESS 0x00000008
#define CREATE_NEW_CONSOLE 0x00000010
#define NORMAL_PRIORITY_CLASS 0x00000020
#define IDLE_PRIORITY_CLASS 0x00000040
#define HIGH_PRIORITY_CLASS 0x00000080
#define REALTIME_PRIORITY_CLASS 0x00000100
#define CREATE_NEW_PROCESS_GROUP 0x00000200
#define CREATE_UNICODE_ENVIRONMENT 0x00000400
#define CREATE_SEPARATE_WOW_VDM 0x00000800
#define CREATE_SHARED_WOW_VDM 0x00001000
#define BELOW_NORMAL_PRIORITY_CLASS 0x00004000
#define ABOVE_NORMAL_PRIORITY_CLASS 0x00008000
#define INHERIT_PARENT_AFFINITY 0x00010000
#define CREATE_PROTECTED_PROCESS 0x00040000
#define EXTENDED_STARTUPINFO_PRESENT 0x00080000
#define PROCESS_MODE_BACKGROUND_BEGIN 0x00100000
#define PROCESS_MODE_BACKGROUND_END 0x00200000
#define CREATE_BREAKAWAY_FROM_JOB 0x01000000
#define CREATE_PRESERVE_CODE_AUTHZ_LEVEL 0x02000000
#define CREATE_DEFAULT_ERROR_MODE 0x04000000
#define CREATE_NO_WINDOW 0x08000000

/* Flags of CreateThread, beside CREATE_SUSPENDED. */
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000

/* STARTUPINFO.dwFlags. STARTF_USESTDHANDLES is obeyed; the others are handed to the child,
 * which can read them with GetStartupInfo. */
#define STARTF_USESHOWWINDOW 0x00000001
#define STARTF_USESIZE 0x00000002
#define STARTF_USEPOSITION 0x00000004
#define STARTF_USECOUNTCHARS 0x00000008
#define STARTF_USEFILLATTRIBUTE 0x00000010
#define STARTF_RUNFULLSCREEN 0x00000020
#define STARTF_FORCEONFEEDBACK 0x00000040
#define STARTF_FORCEOFFFEEDBACK 0x00000080
#define STARTF_USESTDHANDLES 0x00000100
#define STARTF_USEHOTKEY 0x00000200
#define STARTF_TITLEISLINKNAME 0x00000800
#define STARTF_TITLEISAPPID 0x00001000
#define STARTF_PREVENTPINNING 0x00002000

/* What the creator tells the child. Zero it and set cb. */
typedef struct _STARTUPINFOA {
    DWORD cb;
    LPSTR lpReserved;
    LPSTR lpDesktop;
    LPSTR lpTitle;
    DWORD dwX;
    DWORD dwY;
    DWORD dwXSize;
    DWORD dwYSize;
    DWORD dwXCountChars;
    DWORD dwYCountChars;
    DWORD dwFillAttribute;
    DWORD dwFlags;
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput;
    HANDLE hStdOutput;
    HANDLE hStdError;
} STARTUPINFOA, *LPSTARTUPINFOA;

typedef struct _STARTUPINFOW {
    DWORD cb;
    LPWSTR lpReserved;
    LPWSTR lpDesktop;
    LPWSTR lpTitle;
    DWORD dwX;
    DWORD dwY;
    DWORD dwXSize;
    DWORD dwYSize;
    DWORD dwXCountChars;
    DWORD dwYCountChars;
    DWORD dwFillAttribute;
    DWORD dwFlags;
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput;
    HANDLE hStdOutput;
    HANDLE hStdError;
} STARTUPINFOW, *LPSTARTUPINFOW;

/* Attributes for a child, in memory of the caller whose size the first call of
 * InitializeProcThreadAttributeList tells. */
typedef struct _PROC_THREAD_ATTRIBUTE_LIST *PPROC_THREAD_ATTRIBUTE_LIST, *LPPROC_THREAD_ATTRIBUTE_LIST;

/* STARTUPINFO with attributes: cb is the size of this record, and CreateProcess gets
 * EXTENDED_STARTUPINFO_PRESENT. */
typedef struct _STARTUPINFOEXA {
    STARTUPINFOA StartupInfo;
    LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList;
} STARTUPINFOEXA, *LPSTARTUPINFOEXA;

typedef struct _STARTUPINFOEXW {
    STARTUPINFOW StartupInfo;
    LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList;
} STARTUPINFOEXW, *LPSTARTUPINFOEXW;

#ifdef UNICODE
typedef STARTUPINFOW STARTUPINFO;
typedef LPSTARTUPINFOW LPSTARTUPINFO;
typedef STARTUPINFOEXW STARTUPINFOEX;
typedef LPSTARTUPINFOEXW LPSTARTUPINFOEX;
#else
typedef STARTUPINFOA STARTUPINFO;
typedef LPSTARTUPINFOA LPSTARTUPINFO;
typedef STARTUPINFOEXA STARTUPINFOEX;
typedef LPSTARTUPINFOEXA LPSTARTUPINFOEX;
#endif

/* What CreateProcess gives back: two handles, each with an end by CloseHandle, and the ids.
 * The process id is the Linux pid. */
typedef struct _PROCESS_INFORMATION {
    HANDLE hProcess;
    HANDLE hThread;
    DWORD dwProcessId;
    DWORD dwThreadId;
} PROCESS_INFORMATION, *PPROCESS_INFORMATION, *LPPROCESS_INFORMATION;

#define PROC_THREAD_ATTRIBUTE_NUMBER 0x0000FFFF
#define PROC_THREAD_ATTRIBUTE_THREAD 0x00010000
#define PROC_THREAD_ATTRIBUTE_INPUT 0x00020000
#define PROC_THREAD_ATTRIBUTE_ADDITIVE 0x00040000
#define PROC_THREAD_ATTRIBUTE_PARENT_PROCESS 0x00020000
#define PROC_THREAD_ATTRIBUTE_HANDLE_LIST 0x00020002

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a program. lpApplicationName is the program and lpCommandLine the whole line, or the
 * line's first word is the program, looked for beside the creator, in the current folder and
 * on PATH, with and without .exe (R1, R2). The line must be writable memory. bInheritHandles
 * TRUE hands every inheritable handle over under its value, or those of a handle list. No
 * shell is involved. Returns when the child is set up; a child that uses transom begins its main
 * when this thread next waits or sleeps, or 20 ms later, so that what the creator does next comes
 * first, as it does on Windows. FALSE on failure: ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
 * ERROR_DIRECTORY (lpCurrentDirectory), ERROR_BAD_EXE_FORMAT, ERROR_ACCESS_DENIED,
 * ERROR_FILENAME_EXCED_RANGE (over 32767 characters), ERROR_INVALID_PARAMETER. Any Linux program
 * can be started; what it finds of its handles without transom are the three standard ones. */
TRANSOM_API BOOL WINAPI CreateProcessA(LPCSTR lpApplicationName, LPSTR lpCommandLine,
    LPSECURITY_ATTRIBUTES lpProcessAttributes, LPSECURITY_ATTRIBUTES lpThreadAttributes,
    BOOL bInheritHandles, DWORD dwCreationFlags, LPVOID lpEnvironment, LPCSTR lpCurrentDirectory,
    LPSTARTUPINFOA lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation);
TRANSOM_API BOOL WINAPI CreateProcessW(LPCWSTR lpApplicationName, LPWSTR lpCommandLine,
    LPSECURITY_ATTRIBUTES lpProcessAttributes, LPSECURITY_ATTRIBUTES lpThreadAttributes,
    BOOL bInheritHandles, DWORD dwCreationFlags, LPVOID lpEnvironment, LPCWSTR lpCurrentDirectory,
    LPSTARTUPINFOW lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation);
#define CreateProcess TRANSOM_AW(CreateProcess)

/* Opens a handle to a running process, or to an ended one that somebody holds a handle to.
 * NULL on failure: ERROR_INVALID_PARAMETER (id 0 or unknown), ERROR_ACCESS_DENIED (another
 * user's). Processes without transom can be waited for and terminated, not duplicated into. */
TRANSOM_API HANDLE WINAPI OpenProcess(DWORD dwDesiredAccess, BOOL bInheritHandle,
    DWORD dwProcessId);

/* The pseudo handle (-1) of the calling process: full rights, no end, not to be inherited. */
TRANSOM_API HANDLE WINAPI GetCurrentProcess(void);
TRANSOM_API DWORD WINAPI GetCurrentProcessId(void);

/* The id of the process behind a handle. 0 with ERROR_INVALID_HANDLE, or ERROR_ACCESS_DENIED
 * without a PROCESS_QUERY_ right. */
TRANSOM_API DWORD WINAPI GetProcessId(HANDLE Process);

/* The exit code, all 32 bits of it; STILL_ACTIVE while it runs. FALSE with
 * ERROR_INVALID_HANDLE, or ERROR_ACCESS_DENIED without a PROCESS_QUERY_ right. */
TRANSOM_API BOOL WINAPI GetExitCodeProcess(HANDLE hProcess, LPDWORD lpExitCode);

/* Ends a process with that exit code; nothing of it runs any more, and what it owned is
 * treated as on any end (R28). Returns before the end is complete: wait for the handle. FALSE
 * with ERROR_ACCESS_DENIED without PROCESS_TERMINATE or when it has ended already;
 * ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI TerminateProcess(HANDLE hProcess, UINT uExitCode);

/* Ends the calling process, all threads with it, with that exit code. Functions registered
 * with atexit run and standard streams are flushed, as in a return from main. */
TRANSOM_API DECLSPEC_NORETURN void WINAPI ExitProcess(UINT uExitCode);

/* What this process's creator passed: title, flags, wShowWindow, standard handles; zeroes if
 * it was not started through transom. The strings belong to the library. */
TRANSOM_API void WINAPI GetStartupInfoA(LPSTARTUPINFOA lpStartupInfo);
TRANSOM_API void WINAPI GetStartupInfoW(LPSTARTUPINFOW lpStartupInfo);
#define GetStartupInfo TRANSOM_AW(GetStartupInfo)

/* Prepares a list for dwAttributeCount attributes in memory of *lpSize bytes; with a NULL list
 * FALSE, ERROR_INSUFFICIENT_BUFFER, and *lpSize is the size needed. Its end:
 * DeleteProcThreadAttributeList, which does not free the memory. */
TRANSOM_API BOOL WINAPI InitializeProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList,
    DWORD dwAttributeCount, DWORD dwFlags, PSIZE_T lpSize);

/* Puts PROC_THREAD_ATTRIBUTE_HANDLE_LIST in, an array of HANDLE and its size in bytes; the
 * array must live until the list is deleted. The listed handles must be inheritable. FALSE
 * with ERROR_NOT_SUPPORTED for any other attribute, ERROR_BAD_LENGTH, ERROR_GEN_FAILURE (more
 * attributes than prepared for), ERROR_OBJECT_NAME_EXISTS (twice). */
TRANSOM_API BOOL WINAPI UpdateProcThreadAttribute(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList,
    DWORD dwFlags, DWORD_PTR Attribute, PVOID lpValue, SIZE_T cbSize, PVOID lpPreviousValue,
    PSIZE_T lpReturnSize);
TRANSOM_API void WINAPI DeleteProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList);

/* Starts a thread of this process; dwStackSize 0 is the system's default; CREATE_SUSPENDED
 * makes it wait for ResumeThread. The handle's end is CloseHandle, which does not end the
 * thread. NULL on failure: ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER. There is no
 * TerminateThread: a thread cannot be ended from outside without breaking its process. */
TRANSOM_API HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
    LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter, DWORD dwCreationFlags,
    LPDWORD lpThreadId);

/* Ends the calling thread with that exit code; in the main thread the others go on (R27), and
 * the last thread's code becomes the process's. */
TRANSOM_API DECLSPEC_NORETURN void WINAPI ExitThread(DWORD dwExitCode);

/* Opens a handle to a thread by its id, in this process or another that uses transom. NULL on
 * failure: ERROR_INVALID_PARAMETER, ERROR_ACCESS_DENIED. */
TRANSOM_API HANDLE WINAPI OpenThread(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwThreadId);

/* Counts a suspended thread down; at 0 it runs. Works for threads started with
 * CREATE_SUSPENDED and the first thread of such a process. Returns the previous count (1; 0
 * for a thread that runs). 0xFFFFFFFF with ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED. */
TRANSOM_API DWORD WINAPI ResumeThread(HANDLE hThread);

/* The pseudo handle (-2) of the calling thread, and its id: the Linux thread id. */
TRANSOM_API HANDLE WINAPI GetCurrentThread(void);
TRANSOM_API DWORD WINAPI GetCurrentThreadId(void);

/* The id of the thread behind a handle; 0 with ERROR_INVALID_HANDLE. */
TRANSOM_API DWORD WINAPI GetThreadId(HANDLE Thread);

/* The exit code of a thread; STILL_ACTIVE while it runs; the process's code if that ended
 * first. FALSE with ERROR_INVALID_HANDLE, or ERROR_ACCESS_DENIED without
 * THREAD_QUERY_INFORMATION (or the LIMITED form). */
TRANSOM_API BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode);

/* Lets another ready thread run; TRUE, as it cannot be told whether there was one. */
TRANSOM_API BOOL WINAPI SwitchToThread(void);

/* Has a thread of this process run pfnAPC(dwData) in its next alertable wait. 0 on failure:
 * ERROR_GEN_FAILURE (it has ended), ERROR_INVALID_HANDLE. */
TRANSOM_API DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData);
/* The process that a thread belongs to; 0 with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. */
TRANSOM_API DWORD WINAPI GetProcessIdOfThread(HANDLE Thread);

/* When a process began and ended, and how long it ran in the system and in its program. While it
 * runs the end is 0; afterwards the end is the moment of asking, and the other times are 0. */
TRANSOM_API BOOL WINAPI GetProcessTimes(HANDLE hProcess, LPFILETIME lpCreationTime,
    LPFILETIME lpExitTime, LPFILETIME lpKernelTime, LPFILETIME lpUserTime);

/* Priorities are remembered for the calling process and thread and have no effect. 0, FALSE or
 * THREAD_PRIORITY_ERROR_RETURN with ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER. */
TRANSOM_API DWORD WINAPI GetPriorityClass(HANDLE hProcess);
TRANSOM_API BOOL WINAPI SetPriorityClass(HANDLE hProcess, DWORD dwPriorityClass);
TRANSOM_API int WINAPI GetThreadPriority(HANDLE hThread);
TRANSOM_API BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority);

/* A name for debuggers: the kernel keeps 15 bytes of the calling thread's. */
TRANSOM_API HRESULT WINAPI SetThreadDescription(HANDLE hThread, PCWSTR lpThreadDescription);

/* The processor that runs the thread now, and masks of the first 64 that may. */
TRANSOM_API DWORD WINAPI GetCurrentProcessorNumber(void);
TRANSOM_API BOOL WINAPI GetProcessAffinityMask(HANDLE hProcess, PDWORD_PTR lpProcessAffinityMask,
    PDWORD_PTR lpSystemAffinityMask);

/* No process here is one of 32 bits under 64: *Wow64Process becomes FALSE. */
TRANSOM_API BOOL WINAPI IsWow64Process(HANDLE hProcess, PBOOL Wow64Process);

/* Values that each thread has for itself, under an index for all: 1088 of them, NULL at first.
 * TlsAlloc gives TLS_OUT_OF_INDEXES when there is none; TlsGetValue sets the last error to 0;
 * ERROR_INVALID_PARAMETER for an index that is not taken. */
#define TLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#define TLS_MINIMUM_AVAILABLE 64
TRANSOM_API DWORD WINAPI TlsAlloc(void);
TRANSOM_API BOOL WINAPI TlsFree(DWORD dwTlsIndex);
TRANSOM_API LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex);
TRANSOM_API BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue);

#ifdef __cplusplus
}
#endif

#endif
