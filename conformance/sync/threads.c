/* What the threads of one process use among themselves: slim locks, condition variables, one-time initialisation,
 * values of their own. */
#include "../check.h"

#define THREADS 4
#define ROUNDS 2000

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE full = CONDITION_VARIABLE_INIT, empty;
static CRITICAL_SECTION section;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static LONG counter, readers, most, made, item;
static DWORD slot;

static BOOL CALLBACK first(PINIT_ONCE which, PVOID parameter, PVOID *context)
{
    (void)which;
    made++;
    Sleep(20);
    *context = parameter;
    return TRUE;
}

static BOOL CALLBACK fails(PINIT_ONCE which, PVOID parameter, PVOID *context)
{
    (void)which, (void)parameter, (void)context;
    SetLastError(1234);
    return FALSE;
}

static DWORD WINAPI count(LPVOID number)
{
    int i;
    PVOID context = NULL;
    if (!InitOnceExecuteOnce(&once, first, (PVOID)0x1000, &context) || context != (PVOID)0x1000)
        return 90;
    if (TlsGetValue(slot) != NULL || !TlsSetValue(slot, number))
        return 91;
    for (i = 0; i < ROUNDS; i++) {
        LONG now;
        AcquireSRWLockExclusive(&lock);
        counter++;
        ReleaseSRWLockExclusive(&lock);
        AcquireSRWLockShared(&lock);
        now = InterlockedIncrement(&readers);
        if (now > most)
            most = now;
        InterlockedDecrement(&readers);
        ReleaseSRWLockShared(&lock);
    }
    return TlsGetValue(slot) == number ? 1 : 92;
}

static DWORD WINAPI take(LPVOID unused)
{
    DWORD sum = 0;
    (void)unused;
    for (;;) {
        LONG got;
        EnterCriticalSection(&section);
        while (item == 0)
            SleepConditionVariableCS(&full, &section, INFINITE);
        got = item;
        item = 0;
        LeaveCriticalSection(&section);
        WakeConditionVariable(&empty);
        if (got < 0)
            return sum;
        sum += (DWORD)got;
    }
}

static DWORD WINAPI try_both(LPVOID unused)
{
    (void)unused;
    return (TryAcquireSRWLockExclusive(&lock) ? 1 : 0) + (TryAcquireSRWLockShared(&lock) ? 2 : 0);
}

static DWORD code_of(HANDLE thread)
{
    DWORD code = 0;
    WaitForSingleObject(thread, 20000);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

int main(void)
{
    HANDLE threads[THREADS];
    INIT_ONCE other;
    PVOID context;
    int i, sum = 0;

    InitializeCriticalSection(&section);
    InitializeConditionVariable(&empty);
    slot = TlsAlloc();
    VALUE("slot", slot != TLS_OUT_OF_INDEXES);
    SetLastError(0xBEEF);
    VALUE("own_value", TlsGetValue(slot) == NULL);
    VALUE("own_value_error", GetLastError());
    for (i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, count, (LPVOID)(ULONG_PTR)(i + 1), 0, NULL);
    for (i = 0; i < THREADS; i++)
        sum += (int)code_of(threads[i]);
    VALUE("all_went_well", sum);
    VALUE("counted", counter);
    VALUE("made_once", made);
    VALUE("own_value_still", TlsGetValue(slot) == NULL);
    TRUTH("free_slot", TlsFree(slot));
    TRUTH("value_of_no_slot", TlsSetValue(5000, NULL));

    InitOnceInitialize(&other);
    VALUE("failed_once", InitOnceExecuteOnce(&other, fails, NULL, &context));
    VALUE("then_done", InitOnceExecuteOnce(&other, first, (PVOID)0x2000, &context));
    VALUE("its_context", context == (PVOID)0x2000);

    VALUE("free_exclusive", TryAcquireSRWLockExclusive(&lock));
    VALUE("nobody_else", code_of(CreateThread(NULL, 0, try_both, NULL, 0, NULL)));
    ReleaseSRWLockExclusive(&lock);
    AcquireSRWLockShared(&lock);
    VALUE("another_reader", code_of(CreateThread(NULL, 0, try_both, NULL, 0, NULL)));
    ReleaseSRWLockShared(&lock);
    ReleaseSRWLockShared(&lock);
    VALUE("free_again", TryAcquireSRWLockExclusive(&lock));
    TRUTH("nobody_wakes", SleepConditionVariableSRW(&full, &lock, 30, 0));
    VALUE("still_inside", code_of(CreateThread(NULL, 0, try_both, NULL, 0, NULL)));
    ReleaseSRWLockExclusive(&lock);

    threads[0] = CreateThread(NULL, 0, take, NULL, 0, NULL);
    for (i = 1; i <= 101; i++) {
        EnterCriticalSection(&section);
        while (item != 0)
            SleepConditionVariableCS(&empty, &section, INFINITE);
        item = i <= 100 ? i : -1;
        LeaveCriticalSection(&section);
        WakeAllConditionVariable(&full);
    }
    VALUE("sum_of_items", code_of(threads[0]));
    DeleteCriticalSection(&section);
    return 0;
}
