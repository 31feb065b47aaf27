/* Prints the size of every type, the place of every member and the result of every macro
 * that computes something. layout.expected is what Windows' 64-bit headers give: the same
 * source, compiled against them, prints the same lines. Nothing differs on purpose. Not
 * printed is MEMORY_BASIC_INFORMATION.PartitionId, which older headers have as padding. */
#include <windows.h>
#include <sddl.h>
#include <shellapi.h>
#include "put.h"

static void integers(void)
{
    INTEGER(INT8), INTEGER(UINT8), INTEGER(INT16), INTEGER(UINT16), INTEGER(INT32), INTEGER(UINT32);
    INTEGER(INT64), INTEGER(UINT64), INTEGER(LONG32), INTEGER(ULONG32), INTEGER(DWORD32);
    INTEGER(LONG64), INTEGER(ULONG64), INTEGER(DWORD64), INTEGER(__int64);
    INTEGER(INT_PTR), INTEGER(UINT_PTR), INTEGER(LONG_PTR), INTEGER(ULONG_PTR), INTEGER(DWORD_PTR);
    INTEGER(SIZE_T), INTEGER(SSIZE_T), INTEGER(KAFFINITY);
    INTEGER(CHAR), INTEGER(CCHAR), INTEGER(UCHAR), INTEGER(BYTE), INTEGER(BOOLEAN);
    INTEGER(SHORT), INTEGER(USHORT), INTEGER(WORD), INTEGER(WCHAR), INTEGER(ATOM), INTEGER(LANGID);
    INTEGER(INT), INTEGER(UINT), INTEGER(LONG), INTEGER(ULONG), INTEGER(DWORD), INTEGER(BOOL);
    INTEGER(HRESULT), INTEGER(SCODE), INTEGER(LCID), INTEGER(ACCESS_MASK), INTEGER(HFILE);
    INTEGER(LONGLONG), INTEGER(ULONGLONG), INTEGER(DWORDLONG);
    INTEGER(SECURITY_INFORMATION), INTEGER(SECURITY_DESCRIPTOR_CONTROL);
    SIZE(FLOAT), SIZE(DOUBLE), SIZE(TCHAR), SIZE(LPVOID), SIZE(HANDLE), SIZE(HGLOBAL), SIZE(HLOCAL);
    SIZE(HMODULE), SIZE(HINSTANCE), SIZE(PSID), SIZE(PSECURITY_DESCRIPTOR), SIZE(LPTHREAD_START_ROUTINE);
}

static void records(void)
{
    SIZE(FILETIME);
    AT(FILETIME, dwLowDateTime), AT(FILETIME, dwHighDateTime);

    SIZE(LARGE_INTEGER);
    AT(LARGE_INTEGER, LowPart), AT(LARGE_INTEGER, HighPart), AT(LARGE_INTEGER, QuadPart);
    AT(LARGE_INTEGER, u.LowPart), AT(LARGE_INTEGER, u.HighPart);
    SIZE(ULARGE_INTEGER);
    AT(ULARGE_INTEGER, LowPart), AT(ULARGE_INTEGER, HighPart), AT(ULARGE_INTEGER, QuadPart);
    AT(ULARGE_INTEGER, u.LowPart), AT(ULARGE_INTEGER, u.HighPart);

    SIZE(LIST_ENTRY);
    AT(LIST_ENTRY, Flink), AT(LIST_ENTRY, Blink);

    SIZE(SECURITY_ATTRIBUTES);
    AT(SECURITY_ATTRIBUTES, nLength), AT(SECURITY_ATTRIBUTES, lpSecurityDescriptor);
    AT(SECURITY_ATTRIBUTES, bInheritHandle);

    SIZE(OVERLAPPED);
    AT(OVERLAPPED, Internal), AT(OVERLAPPED, InternalHigh), AT(OVERLAPPED, Offset);
    AT(OVERLAPPED, OffsetHigh), AT(OVERLAPPED, Pointer), AT(OVERLAPPED, hEvent);

    SIZE(LPOVERLAPPED_COMPLETION_ROUTINE), SIZE(PAPCFUNC), SIZE(LPOVERLAPPED);
    SIZE(SYSTEMTIME);
    AT(SYSTEMTIME, wYear), AT(SYSTEMTIME, wMonth), AT(SYSTEMTIME, wDayOfWeek), AT(SYSTEMTIME, wDay);
    AT(SYSTEMTIME, wHour), AT(SYSTEMTIME, wMinute), AT(SYSTEMTIME, wSecond), AT(SYSTEMTIME, wMilliseconds);

    SIZE(SRWLOCK), SIZE(CONDITION_VARIABLE), SIZE(INIT_ONCE);

    SIZE(CRITICAL_SECTION);
    AT(CRITICAL_SECTION, DebugInfo), AT(CRITICAL_SECTION, LockCount), AT(CRITICAL_SECTION, RecursionCount);
    AT(CRITICAL_SECTION, OwningThread), AT(CRITICAL_SECTION, LockSemaphore), AT(CRITICAL_SECTION, SpinCount);

    SIZE(MEMORY_BASIC_INFORMATION);
    AT(MEMORY_BASIC_INFORMATION, BaseAddress), AT(MEMORY_BASIC_INFORMATION, AllocationBase);
    AT(MEMORY_BASIC_INFORMATION, AllocationProtect), AT(MEMORY_BASIC_INFORMATION, RegionSize);
    AT(MEMORY_BASIC_INFORMATION, State), AT(MEMORY_BASIC_INFORMATION, Protect);
    AT(MEMORY_BASIC_INFORMATION, Type);

    SIZE(SYSTEM_INFO);
    AT(SYSTEM_INFO, dwOemId), AT(SYSTEM_INFO, wProcessorArchitecture), AT(SYSTEM_INFO, wReserved);
    AT(SYSTEM_INFO, dwPageSize), AT(SYSTEM_INFO, lpMinimumApplicationAddress);
    AT(SYSTEM_INFO, lpMaximumApplicationAddress), AT(SYSTEM_INFO, dwActiveProcessorMask);
    AT(SYSTEM_INFO, dwNumberOfProcessors), AT(SYSTEM_INFO, dwProcessorType);
    AT(SYSTEM_INFO, dwAllocationGranularity), AT(SYSTEM_INFO, wProcessorLevel), AT(SYSTEM_INFO, wProcessorRevision);

    SIZE(ACL);
    AT(ACL, AclRevision), AT(ACL, Sbz1), AT(ACL, AclSize), AT(ACL, AceCount), AT(ACL, Sbz2);

    SIZE(SECURITY_DESCRIPTOR);
    AT(SECURITY_DESCRIPTOR, Revision), AT(SECURITY_DESCRIPTOR, Sbz1), AT(SECURITY_DESCRIPTOR, Control);
    AT(SECURITY_DESCRIPTOR, Owner), AT(SECURITY_DESCRIPTOR, Group), AT(SECURITY_DESCRIPTOR, Sacl);
    AT(SECURITY_DESCRIPTOR, Dacl);
}

#define STARTUP(type)                                                                          \
    SIZE(type), AT(type, cb), AT(type, lpReserved), AT(type, lpDesktop), AT(type, lpTitle),    \
        AT(type, dwX), AT(type, dwY), AT(type, dwXSize), AT(type, dwYSize),                    \
        AT(type, dwXCountChars), AT(type, dwYCountChars), AT(type, dwFillAttribute),           \
        AT(type, dwFlags), AT(type, wShowWindow), AT(type, cbReserved2), AT(type, lpReserved2), \
        AT(type, hStdInput), AT(type, hStdOutput), AT(type, hStdError)

static void processes(void)
{
    STARTUP(STARTUPINFOA);
    STARTUP(STARTUPINFOW);
    SIZE(STARTUPINFO);
    SIZE(STARTUPINFOEXA);
    AT(STARTUPINFOEXA, StartupInfo), AT(STARTUPINFOEXA, lpAttributeList);
    SIZE(STARTUPINFOEXW);
    AT(STARTUPINFOEXW, StartupInfo), AT(STARTUPINFOEXW, lpAttributeList);
    SIZE(STARTUPINFOEX);
    SIZE(PROCESS_INFORMATION);
    AT(PROCESS_INFORMATION, hProcess), AT(PROCESS_INFORMATION, hThread);
    AT(PROCESS_INFORMATION, dwProcessId), AT(PROCESS_INFORMATION, dwThreadId);
}

struct sample {
    char first;
    DWORD second[5];
    double third;
};

static void macros(void)
{
    struct sample sample;
    OVERLAPPED overlapped;

    V(MAKEWORD(0x34, 0x12)), V(MAKEWORD(0x1FF, 0x2FE));
    V(MAKELONG(0x5678, 0x1234)), V(MAKELONG(0xFFFFF, 0x8000));
    V(LOWORD(0x12345678)), V(HIWORD(0x12345678)), V(LOBYTE(0x1234)), V(HIBYTE(0x1234));
    V(MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT)), V(MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US));
    V(PRIMARYLANGID(0x0409)), V(SUBLANGID(0x0409));
    V(LANG_SYSTEM_DEFAULT), V(LANG_USER_DEFAULT);

    V(FIELD_OFFSET(struct sample, second)), V(FIELD_OFFSET(struct sample, third));
    V(RTL_FIELD_SIZE(struct sample, second)), V(RTL_SIZEOF_THROUGH_FIELD(struct sample, second));
    V(ARRAYSIZE(sample.second)), V(RTL_NUMBER_OF(sample.second));
    V(CONTAINING_RECORD(&sample.third, struct sample, third) == &sample);
    V(sizeof(TEXT("abc")));

    V(HRESULT_FROM_WIN32(ERROR_SUCCESS)), V(HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED));
    V(HRESULT_FROM_WIN32(ERROR_MAPPED_ALIGNMENT)), V(HRESULT_FROM_WIN32(E_FAIL));
    V(MAKE_HRESULT(SEVERITY_ERROR, FACILITY_WIN32, 5)), V(MAKE_HRESULT(SEVERITY_SUCCESS, FACILITY_ITF, 7));
    V(MAKE_SCODE(SEVERITY_ERROR, FACILITY_ITF, 0x200));
    V(HRESULT_CODE(0x80070005)), V(HRESULT_FACILITY(0x80070005)), V(HRESULT_SEVERITY(0x80070005));
    V(SCODE_CODE(0x80070005)), V(SCODE_FACILITY(0x80070005)), V(SCODE_SEVERITY(0x80070005));
    V(SUCCEEDED(S_OK)), V(SUCCEEDED(S_FALSE)), V(SUCCEEDED(E_FAIL));
    V(FAILED(S_OK)), V(FAILED(S_FALSE)), V(FAILED(E_FAIL)), V(IS_ERROR(E_FAIL)), V(IS_ERROR(S_FALSE));

    V(HandleToULong(INVALID_HANDLE_VALUE)), V(HandleToLong(INVALID_HANDLE_VALUE));
    P(ULongToHandle(0x80000004)), P(LongToHandle(-2)), P(UlongToPtr(0x80000004)), P(LongToPtr(-2));
    V(PtrToUlong((void *)(ULONG_PTR)0x84)), V(PtrToLong((void *)(ULONG_PTR)0x84));
    P(INVALID_HANDLE_VALUE);

    overlapped.Internal = STATUS_PENDING;
    V(HasOverlappedIoCompleted(&overlapped));
    overlapped.Internal = 0;
    V(HasOverlappedIoCompleted(&overlapped));
}

/* What the atomic operations return: old or new value. */
static void interlocked(void)
{
    LONG n = 10;
    SHORT s = 10;
    char c = 10;
    LONG64 w = 10;
    PVOID p = &n;

    V(InterlockedIncrement(&n)), V(InterlockedDecrement(&n)), V(InterlockedExchangeAdd(&n, 5)), V(n);
    V(InterlockedExchange(&n, 7)), V(n), V(InterlockedCompareExchange(&n, 9, 8)), V(n);
    V(InterlockedCompareExchange(&n, 9, 7)), V(n);
    V(InterlockedAnd(&n, 8)), V(n), V(InterlockedOr(&n, 3)), V(n), V(InterlockedXor(&n, 1)), V(n);
    V(InterlockedBitTestAndSet(&n, 4)), V(n), V(InterlockedBitTestAndReset(&n, 4)), V(n);
    V(InterlockedIncrement16(&s)), V(InterlockedDecrement16(&s)), V(InterlockedCompareExchange16(&s, 3, 10)), V(s);
    V(InterlockedIncrement64(&w)), V(InterlockedDecrement64(&w)), V(InterlockedExchangeAdd64(&w, 5)), V(w);
    V(InterlockedExchange64(&w, 7)), V(InterlockedCompareExchange64(&w, 0x100000000, 7)), V(w);
    V(InterlockedAnd64(&w, 0x300000001)), V(InterlockedOr64(&w, 3)), V(InterlockedXor64(&w, 1)), V(w);
    V(_InterlockedExchangeAdd(&n, 1)), V(n);
    V(InterlockedExchangePointer(&p, &s) == (PVOID)&n), V(p == (PVOID)&s);
    V(InterlockedCompareExchangePointer(&p, &c, &n) == (PVOID)&s), V(p == (PVOID)&s);
    V(InterlockedCompareExchangePointer(&p, &c, &s) == (PVOID)&s), V(p == (PVOID)&c);
    MemoryBarrier();
    YieldProcessor();
}

static void windows(void)
{
    INTEGER(WPARAM), INTEGER(LPARAM), INTEGER(LRESULT);
    SIZE(HWND), SIZE(HMENU), SIZE(HICON), SIZE(HCURSOR), SIZE(HBRUSH), SIZE(WNDPROC), SIZE(TIMERPROC);

    SIZE(POINT);
    AT(POINT, x), AT(POINT, y);

    SIZE(RECT);
    AT(RECT, left), AT(RECT, top), AT(RECT, right), AT(RECT, bottom);

    SIZE(WNDCLASSA);
    AT(WNDCLASSA, style), AT(WNDCLASSA, lpfnWndProc), AT(WNDCLASSA, cbClsExtra);
    AT(WNDCLASSA, cbWndExtra), AT(WNDCLASSA, hInstance), AT(WNDCLASSA, hIcon);
    AT(WNDCLASSA, hCursor), AT(WNDCLASSA, hbrBackground), AT(WNDCLASSA, lpszMenuName);
    AT(WNDCLASSA, lpszClassName);

    SIZE(WNDCLASSW);
    AT(WNDCLASSW, style), AT(WNDCLASSW, lpfnWndProc), AT(WNDCLASSW, cbClsExtra);
    AT(WNDCLASSW, cbWndExtra), AT(WNDCLASSW, hInstance), AT(WNDCLASSW, hIcon);
    AT(WNDCLASSW, hCursor), AT(WNDCLASSW, hbrBackground), AT(WNDCLASSW, lpszMenuName);
    AT(WNDCLASSW, lpszClassName);

    SIZE(WNDCLASSEXA);
    AT(WNDCLASSEXA, cbSize), AT(WNDCLASSEXA, style), AT(WNDCLASSEXA, lpfnWndProc);
    AT(WNDCLASSEXA, cbClsExtra), AT(WNDCLASSEXA, cbWndExtra), AT(WNDCLASSEXA, hInstance);
    AT(WNDCLASSEXA, hIcon), AT(WNDCLASSEXA, hCursor), AT(WNDCLASSEXA, hbrBackground);
    AT(WNDCLASSEXA, lpszMenuName), AT(WNDCLASSEXA, lpszClassName), AT(WNDCLASSEXA, hIconSm);

    SIZE(WNDCLASSEXW);
    AT(WNDCLASSEXW, cbSize), AT(WNDCLASSEXW, style), AT(WNDCLASSEXW, lpfnWndProc);
    AT(WNDCLASSEXW, cbClsExtra), AT(WNDCLASSEXW, cbWndExtra), AT(WNDCLASSEXW, hInstance);
    AT(WNDCLASSEXW, hIcon), AT(WNDCLASSEXW, hCursor), AT(WNDCLASSEXW, hbrBackground);
    AT(WNDCLASSEXW, lpszMenuName), AT(WNDCLASSEXW, lpszClassName), AT(WNDCLASSEXW, hIconSm);

    SIZE(CREATESTRUCTA);
    AT(CREATESTRUCTA, lpCreateParams), AT(CREATESTRUCTA, hInstance), AT(CREATESTRUCTA, hMenu);
    AT(CREATESTRUCTA, hwndParent), AT(CREATESTRUCTA, cy), AT(CREATESTRUCTA, cx);
    AT(CREATESTRUCTA, y), AT(CREATESTRUCTA, x), AT(CREATESTRUCTA, style);
    AT(CREATESTRUCTA, lpszName), AT(CREATESTRUCTA, lpszClass), AT(CREATESTRUCTA, dwExStyle);

    SIZE(CREATESTRUCTW);
    AT(CREATESTRUCTW, lpCreateParams), AT(CREATESTRUCTW, hInstance), AT(CREATESTRUCTW, hMenu);
    AT(CREATESTRUCTW, hwndParent), AT(CREATESTRUCTW, cy), AT(CREATESTRUCTW, cx);
    AT(CREATESTRUCTW, y), AT(CREATESTRUCTW, x), AT(CREATESTRUCTW, style);
    AT(CREATESTRUCTW, lpszName), AT(CREATESTRUCTW, lpszClass), AT(CREATESTRUCTW, dwExStyle);

    SIZE(COPYDATASTRUCT);
    AT(COPYDATASTRUCT, dwData), AT(COPYDATASTRUCT, cbData), AT(COPYDATASTRUCT, lpData);

    SIZE(MSG);
    AT(MSG, hwnd), AT(MSG, message), AT(MSG, wParam), AT(MSG, lParam), AT(MSG, time), AT(MSG, pt);

    SIZE(CHANGEFILTERSTRUCT);
    AT(CHANGEFILTERSTRUCT, cbSize), AT(CHANGEFILTERSTRUCT, ExtStatus);

    V(MAKEWPARAM(0x1234, 0x5678)), V(MAKELPARAM(0x1234, 0x8678)), V(MAKELRESULT(1, 2));
    V(IS_INTRESOURCE(MAKEINTATOM(0xC123))), P(MAKEINTRESOURCE(7));
}

int main(void)
{
    integers();
    records();
    processes();
    macros();
    interlocked();
    windows();
    return 0;
}
