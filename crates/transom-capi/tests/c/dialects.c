/* How sources of Windows programs spell things, in one place. It is compiled, not run: as C99
 * and later, with and without UNICODE, with and without -fshort-wchar, with
 * NONAMELESSUNION, and against Windows' own headers. */
#include <windows.h>
#include <windowsx.h>
#include <sddl.h>
#include <tchar.h>
#define STRSAFE_NO_DEPRECATE
#include <strsafe.h>
#include <conio.h>

C_ASSERT(sizeof(DWORD) == 4);
C_ASSERT(sizeof(WCHAR) == 2);

__declspec(thread) int per_thread;
__declspec(dllexport) int exported(void);
__declspec(dllexport) int __cdecl exported(void)
{
    return per_thread;
}

typedef struct __declspec(align(64)) _SLOT {
    volatile LONG state;
    DWORD owner;
    LIST_ENTRY link;
    BYTE data[ANYSIZE_ARRAY];
} SLOT, *PSLOT;

static DWORD WINAPI worker(_In_ LPVOID parameter)
{
    HANDLE *handles = (HANDLE *)parameter;
    switch (WaitForMultipleObjects(2, handles, FALSE, INFINITE)) {
    case WAIT_OBJECT_0:
        return 0;
    case WAIT_OBJECT_0 + 1:
        return 1;
    case WAIT_ABANDONED_0 + 1:
        return 2;
    case WAIT_TIMEOUT:
        return 3;
    case WAIT_FAILED:
    default:
        return GetLastError();
    }
}

static HRESULT classify(HRESULT hr)
{
    switch (hr) {
    case S_OK:
    case HRESULT_FROM_WIN32(ERROR_ALREADY_EXISTS):
        return S_OK;
    case E_ACCESSDENIED:
        return S_FALSE;
    default:
        return HRESULT_FROM_WIN32(GetLastError());
    }
}

/* Names without A and W, strings without a width. */
static HANDLE shared(LPCTSTR name, TCHAR *full, DWORD capacity)
{
    static const TCHAR prefix[] = TEXT("Local\\");
    SECURITY_ATTRIBUTES sa = { sizeof(SECURITY_ATTRIBUTES), NULL, TRUE };
    SECURITY_DESCRIPTOR sd;
    HANDLE section, mutex, event;

    if (!InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&sd, TRUE, (PACL)NULL, FALSE))
        return NULL;
    sa.lpSecurityDescriptor = &sd;
    if (_tcslen(prefix) + _tcslen(name) >= capacity)
        return NULL;
    _tcscpy(full, prefix);
    _tcscat(full, name);
    if (_tcschr(full, _T('\\')) == NULL || _tcscmp(full, _T("x")) == 0)
        return NULL;
    event = CreateEvent(&sa, TRUE, FALSE, NULL);
    mutex = CreateMutex(NULL, FALSE, TEXT("lock"));
    section = CreateFileMapping(INVALID_HANDLE_VALUE, &sa, PAGE_READWRITE | SEC_COMMIT, 0, sizeof(SLOT), full);
    if (section == NULL)
        section = OpenFileMapping(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, full);
    CloseHandle(event);
    CloseHandle(mutex);
    return section;
}

static ULONGLONG position(HANDLE file)
{
    LARGE_INTEGER zero, now;
    OVERLAPPED overlapped;
    DWORD done = 0;

    ZeroMemory(&overlapped, sizeof(overlapped));
    zero.QuadPart = 0;
    zero.u.HighPart = 0;
#ifdef NONAMELESSUNION
    overlapped.u.s.Offset = zero.s.LowPart;
#else
    overlapped.Offset = zero.LowPart;
#endif
    overlapped.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);
    if (!WriteFile(file, "x", 1, &done, &overlapped) && GetLastError() == ERROR_IO_PENDING)
        GetOverlappedResult(file, &overlapped, &done, TRUE);
    return SetFilePointerEx(file, zero, &now, FILE_CURRENT) ? (ULONGLONG)now.QuadPart : min(done, MAXDWORD);
}

typedef struct {
    OVERLAPPED oOverlap;
    HANDLE hPipeInst;
    TCHAR chRequest[512];
    DWORD cbRead;
} PIPEINST, *LPPIPEINST;

static VOID WINAPI CompletedReadRoutine(DWORD dwErr, DWORD cbBytesRead, LPOVERLAPPED lpOverLap)
{
    LPPIPEINST lpPipeInst = (LPPIPEINST)lpOverLap;
    if (dwErr != 0 || (lpPipeInst->cbRead = cbBytesRead) == 0)
        DisconnectNamedPipe(lpPipeInst->hPipeInst);
}

/* As servers and clients of named pipes are written. */
static DWORD pipes(LPCTSTR lpszPipename, LPPIPEINST lpPipeInst)
{
    DWORD dwMode = PIPE_READMODE_MESSAGE, cbWritten, dwState, dwInstances;
    TCHAR chBuf[64], szUser[64];
    HANDLE hPipe = CreateNamedPipe(lpszPipename, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
        PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, PIPE_UNLIMITED_INSTANCES, 4096, 4096,
        NMPWAIT_USE_DEFAULT_WAIT, NULL);
    if (hPipe == INVALID_HANDLE_VALUE)
        return GetLastError();
    if (!ConnectNamedPipe(hPipe, &lpPipeInst->oOverlap) && GetLastError() != ERROR_IO_PENDING)
        return GetLastError();
    if (!WaitNamedPipe(lpszPipename, 20000))
        return GetLastError();
    lpPipeInst->hPipeInst = CreateFile(lpszPipename, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
        SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (FAILED(StringCchCopy(chBuf, 64, TEXT("Default message"))) || FAILED(StringCchCat(chBuf, 64, TEXT("."))))
        return GetLastError();
    SetNamedPipeHandleState(lpPipeInst->hPipeInst, &dwMode, NULL, NULL);
    TransactNamedPipe(lpPipeInst->hPipeInst, chBuf, (lstrlen(chBuf) + 1) * sizeof(TCHAR), lpPipeInst->chRequest,
        sizeof(lpPipeInst->chRequest), &lpPipeInst->cbRead, NULL);
    CallNamedPipe(lpszPipename, chBuf, sizeof(chBuf), chBuf, sizeof(chBuf), &cbWritten, NMPWAIT_WAIT_FOREVER);
    GetNamedPipeHandleState(hPipe, &dwState, &dwInstances, NULL, NULL, szUser, 64);
    if (!ReadFileEx(hPipe, lpPipeInst->chRequest, sizeof(lpPipeInst->chRequest), &lpPipeInst->oOverlap,
            (LPOVERLAPPED_COMPLETION_ROUTINE)CompletedReadRoutine))
        return (DWORD)_getch();
    while (!HasOverlappedIoCompleted(&lpPipeInst->oOverlap))
        if (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION)
            CancelIoEx(hPipe, &lpPipeInst->oOverlap);
    return 0;
}

static BOOL launch(LPTSTR line, HANDLE inherited)
{
    STARTUPINFOEX si;
    PROCESS_INFORMATION pi;
    SIZE_T size = 0;
    BOOL started;

    FillMemory(&si, sizeof(si), 0);
    si.StartupInfo.cb = sizeof(si);
    si.StartupInfo.dwFlags = STARTF_USESTDHANDLES | STARTF_USESHOWWINDOW;
    si.StartupInfo.wShowWindow = SW_HIDE;
    si.StartupInfo.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    si.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    InitializeProcThreadAttributeList(si.lpAttributeList, 1, 0, &size);
    UpdateProcThreadAttribute(si.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &inherited,
        sizeof(inherited), NULL, NULL);
    started = CreateProcess(NULL, line, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW, NULL,
        NULL, &si.StartupInfo, &pi);
    DeleteProcThreadAttributeList(si.lpAttributeList);
    HeapFree(GetProcessHeap(), 0, si.lpAttributeList);
    return started;
}

static void explain(DWORD code)
{
    LPTSTR text = NULL;
    if (FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
            NULL, code, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPTSTR)&text, 0, NULL))
        LocalFree((HLOCAL)text);
}

/* A window that only hears messages, with crackers and a subclass, and its loop. */
static WNDPROC before;

static BOOL OnCreate(HWND hwnd, LPCREATESTRUCT lpCreateStruct)
{
    SetWindowLongPtr(hwnd, GWLP_USERDATA, (LONG_PTR)lpCreateStruct->lpCreateParams);
    return lpCreateStruct->lpszClass != NULL;
}

static BOOL OnCopyData(HWND hwnd, HWND from, PCOPYDATASTRUCT pcds)
{
    return hwnd != from && pcds->cbData == sizeof(int) && *(int *)pcds->lpData == (int)pcds->dwData;
}

static void OnDestroy(HWND hwnd)
{
    FORWARD_WM_DESTROY(hwnd, DefWindowProc);
    PostQuitMessage(0);
}

static LRESULT CALLBACK WndProc(HWND hwnd, UINT message, WPARAM wParam, LPARAM lParam)
{
    switch (message) {
        HANDLE_MSG(hwnd, WM_CREATE, OnCreate);
        HANDLE_MSG(hwnd, WM_COPYDATA, OnCopyData);
        HANDLE_MSG(hwnd, WM_DESTROY, OnDestroy);
    default:
        return DefWindowProc(hwnd, message, wParam, lParam);
    }
}

static LRESULT CALLBACK Sub(HWND hwnd, UINT message, WPARAM wParam, LPARAM lParam)
{
    return CallWindowProc(before, hwnd, message, wParam, lParam);
}

static BOOL CALLBACK EachWindow(HWND hwnd, LPARAM lParam)
{
    TCHAR title[64];
    return GetWindowText(hwnd, title, ARRAYSIZE(title)) == 0 || GetProp(hwnd, title) != (HANDLE)lParam;
}

static int APIENTRY listen_to(HINSTANCE hInstance, LPCTSTR name)
{
    WNDCLASSEX wcx = { sizeof(wcx), CS_HREDRAW | CS_VREDRAW, WndProc };
    COPYDATASTRUCT cds;
    DWORD_PTR result;
    HWND hwnd, other = FindWindow(name, NULL);
    MSG msg;
    int data = 7;

    wcx.hInstance = hInstance;
    wcx.hCursor = LoadCursor(NULL, IDC_ARROW);
    wcx.hbrBackground = (HBRUSH)(COLOR_WINDOW + 1);
    wcx.lpszClassName = name;
    if (IsWindow(other)) {
        cds.dwData = 7, cds.cbData = sizeof(data), cds.lpData = &data;
        SetForegroundWindow(other);
        return SendMessageTimeout(other, WM_COPYDATA, 0, (LPARAM)&cds, SMTO_ABORTIFHUNG, 5000, &result) ? 0 : 1;
    }
    if (!RegisterClassEx(&wcx))
        return 1;
    hwnd = CreateWindowEx(0, name, TEXT("title"), WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, 0, 0, 0, HWND_MESSAGE, NULL,
        hInstance, NULL);
    before = SubclassWindow(hwnd, Sub);
    ShowWindow(hwnd, SW_SHOWDEFAULT);
    EnumWindows(EachWindow, 0);
    PostMessage(HWND_BROADCAST, RegisterWindowMessage(TEXT("hello")), (WPARAM)hwnd, MAKELPARAM(1, 2));
    while (GetMessage(&msg, NULL, 0, 0) > 0) {
        TranslateMessage(&msg);
        DispatchMessage(&msg);
    }
    return (int)msg.wParam;
}

int main(void)
{
    TCHAR full[MAX_PATH], line[] = TEXT("child.exe --quiet");
    CRITICAL_SECTION section;
    SYSTEM_INFO system;
    SLOT slot;
    PSLOT back = CONTAINING_RECORD(&slot.link, SLOT, link);
    DWORD id;
    HANDLE thread = CreateThread(NULL, 0, worker, &slot, CREATE_SUSPENDED, &id);

    UNREFERENCED_PARAMETER(back);
    listen_to(GetModuleHandle(NULL), TEXT("Listener"));
    InitializeCriticalSection(&section);
    GetSystemInfo(&system);
    per_thread = (int)position(shared(TEXT("name"), full, ARRAYSIZE(full)));
    while (InterlockedCompareExchange(&slot.state, 1, 0) != 0)
        YieldProcessor();
    explain(pipes(TEXT("\\\\.\\pipe\\dialects"), (LPPIPEINST)GlobalAlloc(GPTR, sizeof(PIPEINST))));
    explain((DWORD)classify(launch(line, thread) ? S_OK : E_FAIL));
    return (int)InterlockedIncrement(&slot.state);
}
