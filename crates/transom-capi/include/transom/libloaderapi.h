/* libloaderapi.h: the running program's own file.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Libraries are loaded
 * with the system's own dlopen; only the program itself has a module handle here.
 */
#ifndef TRANSOM_LIBLOADERAPI_H
#define TRANSOM_LIBLOADERAPI_H

#include "minwindef.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The full path of the running program, whatever its first argument says; hModule is NULL or
 * GetModuleHandle(NULL). Returns the length. Too small a buffer: the path is cut to fit, with
 * terminator, nSize is returned and ERROR_INSUFFICIENT_BUFFER set. 0 with
 * ERROR_MOD_NOT_FOUND for another module. */
TRANSOM_API DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize);
TRANSOM_API DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize);
#define GetModuleFileName TRANSOM_AW(GetModuleFileName)

/* The program's handle, for NULL; it needs no end. NULL with ERROR_MOD_NOT_FOUND for any
 * name. */
TRANSOM_API HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName);
TRANSOM_API HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName);
#define GetModuleHandle TRANSOM_AW(GetModuleHandle)

#ifdef __cplusplus
}
#endif

#endif
