/* tchar.h: strings that are A or W depending on _UNICODE.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. With _UNICODE only
 * strings are covered, by functions of this file: C's wide functions work on characters of 32
 * bits and know nothing of WCHAR, so there is no _tprintf, _tfopen or _tmain then.
 */
#ifndef TRANSOM_TCHAR_H
#define TRANSOM_TCHAR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if defined(_UNICODE) && !defined(UNICODE)
#define UNICODE
#endif
#include "minwindef.h"

typedef TCHAR _TCHAR;

#ifdef _UNICODE

#define _T(literal) __TEXT(literal)
#define _TEXT(literal) __TEXT(literal)

static __inline__ size_t transom_wcslen(const WCHAR *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static __inline__ int transom_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (; count; a++, b++, count--) {
        if (*a != *b)
            return *a < *b ? -1 : 1;
        if (!*a)
            break;
    }
    return 0;
}

static __inline__ int transom_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return transom_wcsncmp(a, b, (size_t)-1);
}

static __inline__ WCHAR transom_towlower(WCHAR c)
{
    return c >= 'A' && c <= 'Z' ? (WCHAR)(c + ('a' - 'A')) : c;
}

/* Without regard to case for the letters A to Z. */
static __inline__ int transom_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    for (;; a++, b++) {
        WCHAR x = transom_towlower(*a), y = transom_towlower(*b);
        if (x != y)
            return x < y ? -1 : 1;
        if (!x)
            return 0;
    }
}

static __inline__ WCHAR *transom_wcscpy(WCHAR *to, const WCHAR *from)
{
    WCHAR *at = to;
    while ((*at++ = *from++) != 0) {
    }
    return to;
}

static __inline__ WCHAR *transom_wcsncpy(WCHAR *to, const WCHAR *from, size_t count)
{
    size_t i = 0;
    for (; i < count && from[i]; i++)
        to[i] = from[i];
    for (; i < count; i++)
        to[i] = 0;
    return to;
}

static __inline__ WCHAR *transom_wcscat(WCHAR *to, const WCHAR *from)
{
    transom_wcscpy(to + transom_wcslen(to), from);
    return to;
}

static __inline__ WCHAR *transom_wcschr(const WCHAR *text, WCHAR c)
{
    for (;; text++) {
        if (*text == c)
            return (WCHAR *)text;
        if (!*text)
            return NULL;
    }
}

static __inline__ WCHAR *transom_wcsrchr(const WCHAR *text, WCHAR c)
{
    const WCHAR *last = NULL;
    for (;; text++) {
        if (*text == c)
            last = text;
        if (!*text)
            return (WCHAR *)last;
    }
}

static __inline__ WCHAR *transom_wcsstr(const WCHAR *text, const WCHAR *part)
{
    size_t length = transom_wcslen(part);
    for (;; text++) {
        if (transom_wcsncmp(text, part, length) == 0)
            return (WCHAR *)text;
        if (!*text)
            return NULL;
    }
}

#define _tcslen transom_wcslen
#define _tcscmp transom_wcscmp
#define _tcsncmp transom_wcsncmp
#define _tcsicmp transom_wcsicmp
#define _tcscpy transom_wcscpy
#define _tcsncpy transom_wcsncpy
#define _tcscat transom_wcscat
#define _tcschr transom_wcschr
#define _tcsrchr transom_wcsrchr
#define _tcsstr transom_wcsstr

#else

#define _T(literal) literal
#define _TEXT(literal) literal

#define _tcslen strlen
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp strcasecmp
#define _tcsnicmp strncasecmp
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcstok strtok
#define _tcstol strtol
#define _tcstoul strtoul
#define _tcstod strtod
#define _ttoi atoi
#define _ttol atol
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _sntprintf snprintf
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _vsntprintf vsnprintf
#define _tscanf scanf
#define _stscanf sscanf
#define _fgetts fgets
#define _fputts fputs
#define _putts puts
#define _fgettc fgetc
#define _fputtc fputc
#define _tfopen fopen
#define _tremove remove
#define _trename rename
#define _tgetenv getenv
#define _tsystem system
#define _tmain main

#endif

#endif
