/* heapapi.h: the process's heap.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Every block lies on C's
 * heap; still, each goes back through the function that belongs to the one it came from.
 */
#ifndef TRANSOM_HEAPAPI_H
#define TRANSOM_HEAPAPI_H

#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The process's heap, for the calls below and nothing else. */
TRANSOM_API HANDLE WINAPI GetProcessHeap(void);

/* Makes a block, aligned for any type (end: HeapFree), or changes its size, keeping what fits.
 * HEAP_ZERO_MEMORY clears what is new. NULL on failure, and the old block stays; the last
 * error is left alone, as on Windows. */
TRANSOM_API LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);
TRANSOM_API LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes);

/* Frees a block of HeapAlloc; NULL is allowed. TRUE; FALSE with ERROR_INVALID_HANDLE for
 * another heap handle. */
TRANSOM_API BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);

/* The size asked for when the block was made or last changed; (SIZE_T)-1 for another heap
 * handle or NULL. */
TRANSOM_API SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

/* Makes a heap of its own, and ends one with all blocks on it. Sizes and flags are hints. NULL
 * with ERROR_NOT_ENOUGH_MEMORY; FALSE with ERROR_INVALID_HANDLE. */
TRANSOM_API HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize);
TRANSOM_API BOOL WINAPI HeapDestroy(HANDLE hHeap);

/* TRUE when the heap exists. Damage to blocks is not looked for. */
TRANSOM_API BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

#ifdef __cplusplus
}
#endif

#endif
