/* strsafe.h: strings that stay inside their buffers.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Formatting is there for
 * strings of char only, by the rules of the system's printf. All give S_OK;
 * STRSAFE_E_INSUFFICIENT_BUFFER when the result was cut, with its terminator;
 * STRSAFE_E_INVALID_PARAMETER for a buffer that cannot be.
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

#ifdef __cplusplus
extern "C" {
#endif

/* The length of a string of at most cchMax characters, without the terminator. */
static __inline__ HRESULT StringCchLengthA(LPCSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t length = 0;
    if (pcchLength)
        *pcchLength = 0;
    if (!psz || cchMax > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    while (length < cchMax && psz[length])
        length++;
    if (length == cchMax)
        return STRSAFE_E_INVALID_PARAMETER;
    if (pcchLength)
        *pcchLength = length;
    return S_OK;
}

/* Copies at most cchToCopy characters. */
static __inline__ HRESULT StringCchCopyNA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc, size_t cchToCopy)
{
    size_t i = 0;
    if (!pszDest || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    for (; i + 1 < cchDest && i < cchToCopy && pszSrc[i]; i++)
        pszDest[i] = pszSrc[i];
    pszDest[i] = 0;
    return i < cchToCopy && pszSrc[i] ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

static __inline__ HRESULT StringCchCopyA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc)
{
    return StringCchCopyNA(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* Appends. */
static __inline__ HRESULT StringCchCatNA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc, size_t cchToAppend)
{
    size_t length;
    HRESULT hr = StringCchLengthA(pszDest, cchDest, &length);
    return hr != S_OK ? hr : StringCchCopyNA(pszDest + length, cchDest - length, pszSrc, cchToAppend);
}

static __inline__ HRESULT StringCchCatA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc)
{
    return StringCchCatNA(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* The same with sizes in bytes. */
static __inline__ HRESULT StringCbLengthA(LPCSTR psz, size_t cbMax, size_t *pcbLength)
{
    size_t length = 0;
    HRESULT hr = StringCchLengthA(psz, cbMax / sizeof(char), &length);
    if (pcbLength)
        *pcbLength = length * sizeof(char);
    return hr;
}

static __inline__ HRESULT StringCbCopyA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc)
{
    return StringCchCopyA(pszDest, cbDest / sizeof(char), pszSrc);
}

static __inline__ HRESULT StringCbCatA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc)
{
    return StringCchCatA(pszDest, cbDest / sizeof(char), pszSrc);
}

/* The length of a string of at most cchMax characters, without the terminator. */
static __inline__ HRESULT StringCchLengthW(LPCWSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t length = 0;
    if (pcchLength)
        *pcchLength = 0;
    if (!psz || cchMax > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    while (length < cchMax && psz[length])
        length++;
    if (length == cchMax)
        return STRSAFE_E_INVALID_PARAMETER;
    if (pcchLength)
        *pcchLength = length;
    return S_OK;
}

/* Copies at most cchToCopy characters. */
static __inline__ HRESULT StringCchCopyNW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc, size_t cchToCopy)
{
    size_t i = 0;
    if (!pszDest || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    for (; i + 1 < cchDest && i < cchToCopy && pszSrc[i]; i++)
        pszDest[i] = pszSrc[i];
    pszDest[i] = 0;
    return i < cchToCopy && pszSrc[i] ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

static __inline__ HRESULT StringCchCopyW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc)
{
    return StringCchCopyNW(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* Appends. */
static __inline__ HRESULT StringCchCatNW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc, size_t cchToAppend)
{
    size_t length;
    HRESULT hr = StringCchLengthW(pszDest, cchDest, &length);
    return hr != S_OK ? hr : StringCchCopyNW(pszDest + length, cchDest - length, pszSrc, cchToAppend);
}

static __inline__ HRESULT StringCchCatW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc)
{
    return StringCchCatNW(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* The same with sizes in bytes. */
static __inline__ HRESULT StringCbLengthW(LPCWSTR psz, size_t cbMax, size_t *pcbLength)
{
    size_t length = 0;
    HRESULT hr = StringCchLengthW(psz, cbMax / sizeof(WCHAR), &length);
    if (pcbLength)
        *pcbLength = length * sizeof(WCHAR);
    return hr;
}

static __inline__ HRESULT StringCbCopyW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc)
{
    return StringCchCopyW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

static __inline__ HRESULT StringCbCatW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc)
{
    return StringCchCatW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

/* Formats. */
static __inline__ HRESULT StringCchVPrintfA(LPSTR pszDest, size_t cchDest, LPCSTR pszFormat, va_list argList)
{
    int length;
    if (!pszDest || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    length = vsnprintf(pszDest, cchDest, pszFormat, argList);
    if (length < 0)
        return STRSAFE_E_INVALID_PARAMETER;
    return (size_t)length < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

static __inline__ HRESULT StringCchPrintfA(LPSTR pszDest, size_t cchDest, LPCSTR pszFormat, ...)
{
    HRESULT hr;
    va_list arguments;
    va_start(arguments, pszFormat);
    hr = StringCchVPrintfA(pszDest, cchDest, pszFormat, arguments);
    va_end(arguments);
    return hr;
}

static __inline__ HRESULT StringCbVPrintfA(LPSTR pszDest, size_t cbDest, LPCSTR pszFormat, va_list argList)
{
    return StringCchVPrintfA(pszDest, cbDest, pszFormat, argList);
}

static __inline__ HRESULT StringCbPrintfA(LPSTR pszDest, size_t cbDest, LPCSTR pszFormat, ...)
{
    HRESULT hr;
    va_list arguments;
    va_start(arguments, pszFormat);
    hr = StringCchVPrintfA(pszDest, cbDest, pszFormat, arguments);
    va_end(arguments);
    return hr;
}

#define StringCchLength TRANSOM_AW(StringCchLength)
#define StringCchCopy TRANSOM_AW(StringCchCopy)
#define StringCchCopyN TRANSOM_AW(StringCchCopyN)
#define StringCchCat TRANSOM_AW(StringCchCat)
#define StringCchCatN TRANSOM_AW(StringCchCatN)
#define StringCbLength TRANSOM_AW(StringCbLength)
#define StringCbCopy TRANSOM_AW(StringCbCopy)
#define StringCbCat TRANSOM_AW(StringCbCat)
#ifndef UNICODE
#define StringCchVPrintf StringCchVPrintfA
#define StringCchPrintf StringCchPrintfA
#define StringCbVPrintf StringCbVPrintfA
#define StringCbPrintf StringCbPrintfA
#endif

#ifdef __cplusplus
}
#endif

#endif
