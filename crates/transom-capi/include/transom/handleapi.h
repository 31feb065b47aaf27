/* handleapi.h: closing, duplicating and marking handles.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Rules: docs/handles.md
 * (H1 to H43). All calls are safe from any thread and none of them blocks.
 *
 * Each Create or Open call of the other headers makes one handle; CloseHandle ends it; the
 * object lives while any handle to it does, in any process.
 */
#ifndef TRANSOM_HANDLEAPI_H
#define TRANSOM_HANDLEAPI_H

#include "minwindef.h"
#include "winnt.h"

/* The failure value of CreateFile, CreateMailslot and GetStdHandle, and the "no file" of
 * CreateFileMapping. All other calls that make a handle return NULL when they fail. */
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

#define HANDLE_FLAG_INHERIT 0x00000001
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 0x00000002

#ifdef __cplusplus
extern "C" {
#endif

/* Removes a handle; the last one of an object destroys the object and frees its name, but
 * views of a mapping stay. FALSE with ERROR_INVALID_HANDLE for NULL, for what is not or no
 * longer a handle, and for a protected one, which stays. Pseudo handles: TRUE, no effect. */
TRANSOM_API BOOL WINAPI CloseHandle(HANDLE hObject);

/* Makes a second handle to the same object, in this process or another; the copy needs a
 * CloseHandle of its own, in the target process. dwDesiredAccess counts only without
 * DUPLICATE_SAME_ACCESS. DUPLICATE_CLOSE_SOURCE removes the source, whatever else happens;
 * with a target process of NULL that is all the call does (H32). FALSE: ERROR_INVALID_HANDLE
 * for a bad handle; ERROR_ACCESS_DENIED for a process handle without PROCESS_DUP_HANDLE, or
 * when a file or pipe handle is to gain rights. The target process must use transom as well. */
TRANSOM_API BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
    HANDLE hTargetProcessHandle, LPHANDLE lpTargetHandle, DWORD dwDesiredAccess,
    BOOL bInheritHandle, DWORD dwOptions);

/* Tells a handle's HANDLE_FLAG_ bits. FALSE with ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags);

/* Sets those HANDLE_FLAG_ bits that dwMask names; other handles to the object keep theirs.
 * FALSE with ERROR_INVALID_HANDLE. */
TRANSOM_API BOOL WINAPI SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags);

/* TRUE when both handles of this process lead to one object. Two handles from two opens of
 * one file are two objects. FALSE with ERROR_INVALID_HANDLE for a bad handle, with
 * ERROR_NOT_SAME_OBJECT otherwise. */
TRANSOM_API BOOL WINAPI CompareObjectHandles(HANDLE hFirstObjectHandle, HANDLE hSecondObjectHandle);

#ifdef __cplusplus
}
#endif

#endif
