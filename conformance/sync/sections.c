/* Critical sections: exclusion, recursion, trying. */
#include "../check.h"

#define THREADS 4
#define ROUNDS 5000

static CRITICAL_SECTION section;
static volatile LONG inside, most, sum;
static HANDLE entered, leave;

static DWORD WINAPI counts(LPVOID parameter)
{
    int i;
    (void)parameter;
    for (i = 0; i < ROUNDS; i++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section);
        inside++;
        if (inside > most)
            most = inside;
        sum++;
        inside--;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    return 0;
}

static DWORD WINAPI holds(LPVOID parameter)
{
    (void)parameter;
    EnterCriticalSection(&section);
    SetEvent(entered);
    WaitForSingleObject(leave, 20000);
    LeaveCriticalSection(&section);
    return 7;
}

int main(void)
{
    HANDLE threads[THREADS], holder;
    CRITICAL_SECTION other;
    DWORD code = 0;
    int i;

    InitializeCriticalSection(&section);
    VALUE("enter_free", TryEnterCriticalSection(&section) != 0);
    VALUE("enter_again", TryEnterCriticalSection(&section) != 0);
    LeaveCriticalSection(&section);
    LeaveCriticalSection(&section);
    for (i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, counts, NULL, 0, NULL);
    WAIT("all_end", WaitForMultipleObjects(THREADS, threads, TRUE, 30000));
    VALUE("counted", sum);
    VALUE("never_two", most);

    entered = CreateEventA(NULL, FALSE, FALSE, NULL);
    leave = CreateEventA(NULL, FALSE, FALSE, NULL);
    holder = CreateThread(NULL, 0, holds, NULL, 0, NULL);
    WAIT("other_is_inside", WaitForSingleObject(entered, 20000));
    VALUE("cannot_enter", TryEnterCriticalSection(&section) != 0);
    SetEvent(leave);
    EnterCriticalSection(&section);
    VALUE("entered_after_it", 1);
    LeaveCriticalSection(&section);
    WaitForSingleObject(holder, 20000);
    GetExitCodeThread(holder, &code);
    VALUE("holder_code", code);
    DeleteCriticalSection(&section);

    VALUE("with_spin_count", InitializeCriticalSectionAndSpinCount(&other, 4000) != 0);
    EnterCriticalSection(&other);
    LeaveCriticalSection(&other);
    DeleteCriticalSection(&other);
    VALUE("ex", InitializeCriticalSectionEx(&other, 0, 0) != 0);
    VALUE("ex_enter", TryEnterCriticalSection(&other) != 0);
    LeaveCriticalSection(&other);
    DeleteCriticalSection(&other);
    return 0;
}
