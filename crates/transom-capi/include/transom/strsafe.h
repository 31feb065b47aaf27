/* strsafe.h: copying, joining and printing strings into buffers of a known size.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Sizes are in characters
 * (Cch) or bytes (Cb), terminator included. What does not fit is cut off, with its terminator,
 * and told by STRSAFE_E_INSUFFICIENT_BUFFER. Printing exists for narrow strings only, as in
 * tchar.h.
 */
#ifndef TRANSOM_STRSAFE_H
#define TRANSOM_STRSAFE_H

#include <stdarg.h>
#include <stdio.h>
#include "minwindef.h"
#include "winerror.h"

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

/* One form for each width of character. */
#define TRANSOM_STRSAFE(suffix, character, pointer, text) \
    static __inline__ HRESULT StringCchLength##suffix(text psz, size_t cchMax, size_t *pcchLength) \
    { \
        size_t length = 0; \
        if (pcchLength) \
            *pcchLength = 0; \
        if (!psz || cchMax > STRSAFE_MAX_CCH) \
            return STRSAFE_E_INVALID_PARAMETER; \
        while (length < cchMax && psz[length]) \
            length++; \
        if (length == cchMax) \
            return STRSAFE_E_INVALID_PARAMETER; \
        if (pcchLength) \
            *pcchLength = length; \
        return S_OK; \
    } \
    static __inline__ HRESULT StringCchCopyN##suffix(pointer pszDest, size_t cchDest, text pszSrc, \
        size_t cchToCopy) \
    { \
        size_t at = 0; \
        if (cchDest == 0 || cchDest > STRSAFE_MAX_CCH) \
            return STRSAFE_E_INVALID_PARAMETER; \
        while (at < cchToCopy && pszSrc[at]) { \
            if (at + 1 == cchDest) { \
                pszDest[at] = 0; \
                return STRSAFE_E_INSUFFICIENT_BUFFER; \
            } \
            pszDest[at] = pszSrc[at]; \
            at++; \
        } \
        pszDest[at] = 0; \
        return S_OK; \
    } \
    static __inline__ HRESULT StringCchCopy##suffix(pointer pszDest, size_t cchDest, text pszSrc) \
    { \
        return StringCchCopyN##suffix(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH); \
    } \
    static __inline__ HRESULT StringCchCat##suffix(pointer pszDest, size_t cchDest, text pszSrc) \
    { \
        size_t length; \
        HRESULT result = StringCchLength##suffix(pszDest, cchDest, &length); \
        return FAILED(result) ? result \
                              : StringCchCopy##suffix(pszDest + length, cchDest - length, pszSrc); \
    } \
    static __inline__ HRESULT StringCbLength##suffix(text psz, size_t cbMax, size_t *pcbLength) \
    { \
        size_t length; \
        HRESULT result = StringCchLength##suffix(psz, cbMax / sizeof(character), &length); \
        if (pcbLength) \
            *pcbLength = length * sizeof(character); \
        return result; \
    } \
    static __inline__ HRESULT StringCbCopy##suffix(pointer pszDest, size_t cbDest, text pszSrc) \
    { \
        return StringCchCopy##suffix(pszDest, cbDest / sizeof(character), pszSrc); \
    } \
    static __inline__ HRESULT StringCbCat##suffix(pointer pszDest, size_t cbDest, text pszSrc) \
    { \
        return StringCchCat##suffix(pszDest, cbDest / sizeof(character), pszSrc); \
    }

TRANSOM_STRSAFE(A, CHAR, LPSTR, LPCSTR)
TRANSOM_STRSAFE(W, WCHAR, LPWSTR, LPCWSTR)
#undef TRANSOM_STRSAFE

static __inline__ HRESULT StringCchVPrintfA(LPSTR pszDest, size_t cchDest, LPCSTR pszFormat,
    va_list argList)
{
    int length;
    if (cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    length = vsnprintf(pszDest, cchDest, pszFormat, argList);
    return length < 0 || (size_t)length >= cchDest ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

__attribute__((__format__(__printf__, 3, 4))) static __inline__ HRESULT StringCchPrintfA(
    LPSTR pszDest, size_t cchDest, LPCSTR pszFormat, ...)
{
    HRESULT result;
    va_list arguments;
    va_start(arguments, pszFormat);
    result = StringCchVPrintfA(pszDest, cchDest, pszFormat, arguments);
    va_end(arguments);
    return result;
}

__attribute__((__format__(__printf__, 3, 4))) static __inline__ HRESULT StringCbPrintfA(
    LPSTR pszDest, size_t cbDest, LPCSTR pszFormat, ...)
{
    HRESULT result;
    va_list arguments;
    va_start(arguments, pszFormat);
    result = StringCchVPrintfA(pszDest, cbDest, pszFormat, arguments);
    va_end(arguments);
    return result;
}

#define StringCchLength TRANSOM_AW(StringCchLength)
#define StringCchCopy TRANSOM_AW(StringCchCopy)
#define StringCchCopyN TRANSOM_AW(StringCchCopyN)
#define StringCchCat TRANSOM_AW(StringCchCat)
#define StringCbLength TRANSOM_AW(StringCbLength)
#define StringCbCopy TRANSOM_AW(StringCbCopy)
#define StringCbCat TRANSOM_AW(StringCbCat)
#ifndef UNICODE
#define StringCchPrintf StringCchPrintfA
#define StringCchVPrintf StringCchVPrintfA
#define StringCbPrintf StringCbPrintfA
#endif

#endif
