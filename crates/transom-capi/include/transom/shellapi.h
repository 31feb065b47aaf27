/* shellapi.h: cutting a command line into arguments.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/process.md,
 * R8 to R13.
 */
#ifndef TRANSOM_SHELLAPI_H
#define TRANSOM_SHELLAPI_H

#include "minwindef.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Cuts a command line and stores the number of arguments; the array and its strings are one
 * block, end: LocalFree. For an empty line the program's path. NULL on failure:
 * ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY. */
TRANSOM_API LPWSTR *WINAPI CommandLineToArgvW(LPCWSTR lpCmdLine, int *pNumArgs);

#ifdef __cplusplus
}
#endif

#endif
