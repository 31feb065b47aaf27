/* atlbase.h: what atlfile.h needs of ATL: its exception, its assertion, errors as HRESULTs.
 *
 * Part of transom's C++ interface: the names of the ATL header, for programs on Linux. A name
 * that is in none of these headers is not part of the interface. Rules: docs/atl.md.
 */
#ifndef TRANSOM_ATLBASE_H
#define TRANSOM_ATLBASE_H

#ifndef __cplusplus
#error "atlbase.h is a C++ header"
#endif

#include <assert.h>
#include <stdlib.h>
#include "windows.h"

#if __cplusplus >= 201103L
#define TRANSOM_NOTHROW noexcept
#else
#define TRANSOM_NOTHROW throw()
#endif

#ifndef ATLASSERT
#define ATLASSERT(expression) assert(expression)
#endif

namespace ATL {

/* What an ATL constructor or assignment throws: it holds the HRESULT and converts to it. */
class CAtlException {
public:
    HRESULT m_hr;

    CAtlException() TRANSOM_NOTHROW : m_hr(E_FAIL)
    {
    }

    CAtlException(HRESULT hr) TRANSOM_NOTHROW : m_hr(hr)
    {
    }

    operator HRESULT() const TRANSOM_NOTHROW
    {
        return m_hr;
    }
};

/* Throws CAtlException(hr); without exceptions in the compiler it ends the program. */
__attribute__((__noreturn__)) inline void AtlThrow(HRESULT hr)
{
#ifdef __EXCEPTIONS
    throw CAtlException(hr);
#else
    (void)hr;
    abort();
#endif
}

/* A Win32 code as an HRESULT: 0x80070000 and the code. */
inline HRESULT AtlHresultFromWin32(DWORD error) TRANSOM_NOTHROW
{
    return HRESULT_FROM_WIN32(error);
}

/* The calling thread's last error as an HRESULT. To be called right after the call that
 * failed; where that left no code, E_FAIL, so that a failure never looks like S_OK. */
inline HRESULT AtlHresultFromLastError() TRANSOM_NOTHROW
{
    DWORD error = GetLastError();
    return error != ERROR_SUCCESS ? AtlHresultFromWin32(error) : E_FAIL;
}

} // namespace ATL

#ifndef _ATL_NO_AUTOMATIC_NAMESPACE
using namespace ATL;
#endif

#endif
