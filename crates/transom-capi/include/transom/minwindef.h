/* minwindef.h: the basic types (BOOL, DWORD, HANDLE, strings) and words that decorate
 * declarations.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. What a HANDLE is and
 * how long it lives is told in docs/handles.md. Two things differ from Windows and cannot be
 * hidden: `long` is not LONG (print a DWORD with %u, or cast it), and a wide literal L"x" is
 * not a string of WCHAR unless the program is compiled with -fshort-wchar; u"x" always is,
 * in C11 and C++11.
 */
#ifndef TRANSOM_MINWINDEF_H
#define TRANSOM_MINWINDEF_H

#include <stddef.h>
#include "basetsd.h"
#include "sal.h"

/* Which Windows the program asks for. transom always offers what it has; the numbers exist
 * because sources compare them. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WINVER
#define WINVER _WIN32_WINNT
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A000000
#endif

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#endif

/* TRANSOM_API stands before every function that the library exports, and before nothing
 * else: symbols.txt is checked against it. */
#define TRANSOM_API

/* Calling conventions: there is one on Linux. */
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __thiscall
#define __thiscall
#endif
#ifndef __vectorcall
#define __vectorcall
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef _stdcall
#define _stdcall
#endif
#define WINAPI
#define NTAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define PASCAL
#define CDECL
#define APIPRIVATE
#define WINBASEAPI
#define WINADVAPI
#define WINUSERAPI

/* __declspec(x) becomes the attribute that means the same, or nothing. A storage class that
 * is not listed stops the compiler with its name in the message. */
#if !defined(__declspec) && !defined(_MSC_VER)
#define __declspec(specifier) TRANSOM_DECLSPEC_##specifier
#endif
#define TRANSOM_DECLSPEC_align(bytes) __attribute__((__aligned__(bytes)))
#define TRANSOM_DECLSPEC_allocate(section)
#define TRANSOM_DECLSPEC_deprecated __attribute__((__deprecated__))
#define TRANSOM_DECLSPEC_dllexport __attribute__((__visibility__("default")))
#define TRANSOM_DECLSPEC_dllimport
#define TRANSOM_DECLSPEC_naked __attribute__((__naked__))
#define TRANSOM_DECLSPEC_noinline __attribute__((__noinline__))
#define TRANSOM_DECLSPEC_noreturn __attribute__((__noreturn__))
#define TRANSOM_DECLSPEC_nothrow __attribute__((__nothrow__))
#define TRANSOM_DECLSPEC_novtable
#define TRANSOM_DECLSPEC_restrict
#define TRANSOM_DECLSPEC_selectany __attribute__((__weak__))
#define TRANSOM_DECLSPEC_thread __thread
#define TRANSOM_DECLSPEC_uuid(text)

#ifndef __forceinline
#define __forceinline __inline__ __attribute__((__always_inline__))
#endif
#define FORCEINLINE static __inline__
#define DECLSPEC_IMPORT
#define DECLSPEC_ALIGN(bytes) __attribute__((__aligned__(bytes)))
#define DECLSPEC_CACHEALIGN __attribute__((__aligned__(64)))
#define DECLSPEC_NOINLINE __attribute__((__noinline__))
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#define DECLSPEC_SELECTANY __attribute__((__weak__))

/* Words of old sources that never meant anything to the compiler. */
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef CONST
#define CONST const
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#define MAX_PATH 260

#ifndef VOID
#define VOID void
#endif
typedef void *PVOID, *LPVOID;
typedef const void *PCVOID, *LPCVOID;
typedef char CHAR, *PCHAR, *LPCH, *PCH, CCHAR;
typedef short SHORT, *PSHORT;
typedef int INT, *PINT, *LPINT;
typedef int LONG, *PLONG, *LPLONG;
typedef float FLOAT, *PFLOAT;
typedef double DOUBLE;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef BYTE BOOLEAN, *PBOOLEAN;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef unsigned int UINT, *PUINT, *LPUINT;
typedef unsigned int ULONG, *PULONG;
typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef int BOOL, *PBOOL, *LPBOOL;
__extension__ typedef long long LONGLONG, *PLONGLONG;
__extension__ typedef unsigned long long ULONGLONG, *PULONGLONG;
__extension__ typedef unsigned long long DWORDLONG, *PDWORDLONG;
typedef WORD ATOM;
typedef WORD LANGID;
typedef DWORD LCID, *PLCID;
typedef DWORD ACCESS_MASK, *PACCESS_MASK;
typedef ACCESS_MASK REGSAM;
typedef int HFILE;

/* What messages carry and procedures answer: as wide as a pointer. */
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG_PTR LRESULT;

/* HRESULT: negative is failure; winerror.h has the values and the tests. */
#ifndef _HRESULT_DEFINED
#define _HRESULT_DEFINED
typedef LONG HRESULT;
#endif
typedef LONG SCODE;

/* Strings. A characters are UTF-8 here, whatever the locale says; W characters are UTF-16. */
typedef CHAR *PSTR, *LPSTR, *NPSTR;
typedef const CHAR *PCSTR, *LPCSTR, *PCCH, *LPCCH;
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus) && __cplusplus >= 201103L
typedef char16_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *PWSTR, *LPWSTR, *NWPSTR;
typedef const WCHAR *PCWCH, *LPCWCH, *PCWSTR, *LPCWSTR;

#ifdef UNICODE
#ifndef _TCHAR_DEFINED
#define _TCHAR_DEFINED
typedef WCHAR TCHAR, *PTCHAR;
typedef WCHAR TBYTE, *PTBYTE;
#endif
typedef LPWSTR PTCH, LPTCH, PTSTR, LPTSTR;
typedef LPCWSTR PCTSTR, LPCTSTR;
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#define __TEXT(literal) L##literal
#else
/* Needs C11, C++11 or GNU C99, where u"..." is a literal of 16-bit characters. */
#define __TEXT(literal) u##literal
#endif
#define TRANSOM_AW(name) name##W
#else
#ifndef _TCHAR_DEFINED
#define _TCHAR_DEFINED
typedef CHAR TCHAR, *PTCHAR;
typedef unsigned char TBYTE, *PTBYTE;
#endif
typedef LPSTR PTCH, LPTCH, PTSTR, LPTSTR;
typedef LPCSTR PCTSTR, LPCTSTR;
#define __TEXT(literal) literal
#define TRANSOM_AW(name) name##A
#endif
#define TEXT(literal) __TEXT(literal)

/* A HANDLE names an entry of this process's handle table; CloseHandle removes the entry.
 * The value means nothing in another process unless it was inherited there (H14). */
typedef void *HANDLE, **PHANDLE, **LPHANDLE;
typedef HANDLE HGLOBAL, GLOBALHANDLE;
typedef HANDLE HLOCAL, LOCALHANDLE;
#define DECLARE_HANDLE(name) struct name##__ { int unused; }; typedef struct name##__ *name
DECLARE_HANDLE(HINSTANCE);
typedef HINSTANCE HMODULE;

/* A point in time: 100-nanosecond steps since the year 1601. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#define MAKEWORD(low, high) ((WORD)(((BYTE)((DWORD_PTR)(low) & 0xff)) | \
    ((WORD)((BYTE)((DWORD_PTR)(high) & 0xff))) << 8))
#define MAKELONG(low, high) ((LONG)(((WORD)((DWORD_PTR)(low) & 0xffff)) | \
    ((DWORD)((WORD)((DWORD_PTR)(high) & 0xffff))) << 16))
#define MAKEWPARAM(low, high) ((WPARAM)(DWORD)MAKELONG(low, high))
#define MAKELPARAM(low, high) ((LPARAM)(DWORD)MAKELONG(low, high))
#define MAKELRESULT(low, high) ((LRESULT)(DWORD)MAKELONG(low, high))
#define LOWORD(value) ((WORD)((DWORD_PTR)(value) & 0xffff))
#define HIWORD(value) ((WORD)(((DWORD_PTR)(value) >> 16) & 0xffff))
#define LOBYTE(value) ((BYTE)((DWORD_PTR)(value) & 0xff))
#define HIBYTE(value) ((BYTE)(((DWORD_PTR)(value) >> 8) & 0xff))

/* min and max are macros in C only: in C++ they would break the standard library's headers,
 * and there std::min and std::max do the same. */
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#define UNREFERENCED_PARAMETER(name) ((void)(name))
#define DBG_UNREFERENCED_PARAMETER(name) ((void)(name))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(name) ((void)(name))

#endif
