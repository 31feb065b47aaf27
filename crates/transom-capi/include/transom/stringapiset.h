/* stringapiset.h: UTF-8 to UTF-16 and back.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. The system's code pages
 * (CP_ACP, CP_OEMCP, CP_THREAD_ACP) are UTF-8 here, as CP_UTF8 is; there are no others.
 */
#ifndef TRANSOM_STRINGAPISET_H
#define TRANSOM_STRINGAPISET_H

#include "minwindef.h"

#define CP_ACP 0
#define CP_OEMCP 1
#define CP_THREAD_ACP 3
#define CP_UTF8 65001

#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008
#define WC_DISCARDNS 0x00000010
#define WC_SEPCHARS 0x00000020
#define WC_DEFAULTCHAR 0x00000040
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_COMPOSITECHECK 0x00000200
#define WC_NO_BEST_FIT_CHARS 0x00000400

#ifdef __cplusplus
extern "C" {
#endif

/* Converts cb bytes or cch characters; -1 = up to and with the terminator, else none is
 * added. Returns the units stored; with a size of 0 for the result, the units needed. 0 on
 * failure: ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER (NULL, size 0, other code page;
 * for CP_UTF8 a default character), ERROR_NO_UNICODE_TRANSLATION (broken text and the
 * ERR_INVALID_CHARS flag; without it U+FFFD stands in). */
TRANSOM_API int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr,
    int cbMultiByte, LPWSTR lpWideCharStr, int cchWideChar);
TRANSOM_API int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr,
    int cchWideChar, LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar,
    LPBOOL lpUsedDefaultChar);

#ifdef __cplusplus
}
#endif

#endif
