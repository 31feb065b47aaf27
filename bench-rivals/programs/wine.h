/* What the programs for Windows have in common: the clock, and the processor they stay on. */
#ifndef WINE_H
#define WINE_H

#include <windows.h>

#include "worker.h"

static double now(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER time;
    if (!frequency.QuadPart)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&time);
    return (double)time.QuadPart * 1e9 / (double)frequency.QuadPart;
}

static void pin(const char *cpu)
{
    if (!SetProcessAffinityMask(GetCurrentProcess(), (DWORD_PTR)1 << atoi(cpu)))
        fail("SetProcessAffinityMask", GetLastError());
}

#endif
