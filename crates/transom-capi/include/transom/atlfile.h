/* atlfile.h: CAtlFileMappingBase and CAtlFileMapping<T>: one mapping and one view of it.
 *
 * Part of transom's C++ interface: the names of the ATL header, for programs on Linux. A name
 * that is in none of these headers is not part of the interface; of atlfile.h that is these
 * two classes. Rules: docs/atl.md. Everything is inline, over the calls of memoryapi.h.
 */
#ifndef TRANSOM_ATLFILE_H
#define TRANSOM_ATLFILE_H

#include "atlbase.h"

namespace ATL {

/* Owns a mapping handle and a view; the destructor is Unmap. An object is empty when new and
 * after Unmap, and only an empty one can be mapped: the four calls that map return
 * E_UNEXPECTED otherwise (ATL asserts in debug builds and leaks in others). A call that fails
 * leaves the object empty and returns HRESULT_FROM_WIN32 of the code that mapping.md names.
 * Nothing here locks: threads that share an object, and processes that share the memory,
 * agree among themselves. */
class CAtlFileMappingBase {
public:
    CAtlFileMappingBase() TRANSOM_NOTHROW
        : m_pData(NULL), m_nMappingSize(0), m_hMapping(NULL), m_nOffset(0), m_dwViewDesiredAccess(0)
    {
    }

    /* Copies as CopyFrom does. Throws CAtlException when that fails, also for an empty
     * original. */
    CAtlFileMappingBase(CAtlFileMappingBase &orig)
        : m_pData(NULL), m_nMappingSize(0), m_hMapping(NULL), m_nOffset(0), m_dwViewDesiredAccess(0)
    {
        HRESULT hr = CopyFrom(orig);
        if (FAILED(hr))
            AtlThrow(hr);
    }

    CAtlFileMappingBase &operator=(CAtlFileMappingBase &orig)
    {
        HRESULT hr = CopyFrom(orig);
        if (FAILED(hr))
            AtlThrow(hr);
        return *this;
    }

    ~CAtlFileMappingBase() TRANSOM_NOTHROW
    {
        Unmap();
    }

    /* Maps a file from nOffset on (a multiple of 65536); nMappingSize 0 = to its end. A size
     * beyond the end makes the file grow and needs PAGE_READWRITE. hFile may be closed
     * afterwards. */
    HRESULT MapFile(HANDLE hFile, SIZE_T nMappingSize = 0, ULONGLONG nOffset = 0,
        DWORD dwMappingProtection = PAGE_READONLY, DWORD dwViewDesiredAccess = FILE_MAP_READ) TRANSOM_NOTHROW
    {
        if (!IsEmpty())
            return E_UNEXPECTED;
        // INVALID_HANDLE_VALUE, which would mean memory, ends here with ERROR_INVALID_HANDLE.
        LARGE_INTEGER length;
        if (!GetFileSizeEx(hFile, &length))
            return AtlHresultFromLastError();
        ULONGLONG fileSize = static_cast<ULONGLONG>(length.QuadPart);
        if (nMappingSize == 0 && nOffset > fileSize)
            return E_INVALIDARG;

        ULONGLONG sectionSize = nMappingSize > fileSize ? nMappingSize : fileSize;
        m_hMapping = CreateFileMapping(hFile, NULL, dwMappingProtection, High(sectionSize),
            Low(sectionSize), NULL);
        if (m_hMapping == NULL)
            return AtlHresultFromLastError();
        SIZE_T viewSize = nMappingSize != 0 ? nMappingSize : static_cast<SIZE_T>(fileSize - nOffset);
        return MapView(viewSize, nOffset, dwViewDesiredAccess);
    }

    /* Makes or opens shared memory under a name (NULL: without one). *pbAlreadyExisted is
     * written on success only: TRUE means that the memory has a content, and the size it had. */
    HRESULT MapSharedMem(SIZE_T nMappingSize, LPCTSTR szName, BOOL *pbAlreadyExisted = NULL,
        LPSECURITY_ATTRIBUTES lpsa = NULL, DWORD dwMappingProtection = PAGE_READWRITE,
        DWORD dwViewDesiredAccess = FILE_MAP_ALL_ACCESS) TRANSOM_NOTHROW
    {
        if (!IsEmpty())
            return E_UNEXPECTED;
        m_hMapping = CreateFileMapping(INVALID_HANDLE_VALUE, lpsa, dwMappingProtection, High(nMappingSize),
            Low(nMappingSize), szName);
        if (m_hMapping == NULL)
            return AtlHresultFromLastError();
        BOOL existed = GetLastError() == ERROR_ALREADY_EXISTS;
        HRESULT hr = MapView(nMappingSize, 0, dwViewDesiredAccess);
        if (SUCCEEDED(hr) && pbAlreadyExisted != NULL)
            *pbAlreadyExisted = existed;
        return hr;
    }

    /* Opens shared memory that exists. nMappingSize 0 maps all of it, and GetMappingSize is 0
     * then. */
    HRESULT OpenMapping(LPCTSTR szName, SIZE_T nMappingSize, ULONGLONG nOffset = 0,
        DWORD dwViewDesiredAccess = FILE_MAP_ALL_ACCESS) TRANSOM_NOTHROW
    {
        if (!IsEmpty())
            return E_UNEXPECTED;
        m_hMapping = OpenFileMapping(dwViewDesiredAccess, FALSE, szName);
        if (m_hMapping == NULL)
            return AtlHresultFromLastError();
        return MapView(nMappingSize, nOffset, dwViewDesiredAccess);
    }

    /* Ends view and handle. S_OK also when there is nothing to end. */
    HRESULT Unmap() TRANSOM_NOTHROW
    {
        HRESULT hr = S_OK;
        if (m_pData != NULL && !UnmapViewOfFile(m_pData))
            hr = AtlHresultFromLastError();
        m_pData = NULL;
        if (m_hMapping != NULL && !CloseHandle(m_hMapping) && SUCCEEDED(hr))
            hr = AtlHresultFromLastError();
        m_hMapping = NULL;
        return hr;
    }

    /* Shares the original's memory: a handle and a view of this object's own, with the same
     * access, offset and size. The handle is inheritable. */
    HRESULT CopyFrom(CAtlFileMappingBase &orig) TRANSOM_NOTHROW
    {
        if (this == &orig)
            return S_OK;
        if (!IsEmpty())
            return E_UNEXPECTED;
        HANDLE process = GetCurrentProcess();
        HANDLE copy = NULL;
        if (!DuplicateHandle(process, orig.m_hMapping, process, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
            return AtlHresultFromLastError();
        m_hMapping = copy;
        return MapView(orig.m_nMappingSize, orig.m_nOffset, orig.m_dwViewDesiredAccess);
    }

    /* The view's address; NULL when not mapped. */
    void *GetData() const TRANSOM_NOTHROW
    {
        return m_pData;
    }

    /* The mapping's handle, which stays this object's; NULL when not mapped. */
    HANDLE GetHandle() TRANSOM_NOTHROW
    {
        return m_hMapping;
    }

    /* The size of the view as it was asked for; MapFile with 0: what it came to. */
    SIZE_T GetMappingSize() TRANSOM_NOTHROW
    {
        return m_nMappingSize;
    }

private:
    static DWORD High(ULONGLONG value) TRANSOM_NOTHROW
    {
        return static_cast<DWORD>(value >> 32);
    }

    static DWORD Low(ULONGLONG value) TRANSOM_NOTHROW
    {
        return static_cast<DWORD>(value & 0xFFFFFFFF);
    }

    bool IsEmpty() const TRANSOM_NOTHROW
    {
        return m_pData == NULL && m_hMapping == NULL;
    }

    /* The view over m_hMapping. When it fails the handle is closed again; the code is kept from
     * what that does to the last error. */
    HRESULT MapView(SIZE_T size, ULONGLONG offset, DWORD access) TRANSOM_NOTHROW
    {
        m_nMappingSize = size;
        m_nOffset = offset;
        m_dwViewDesiredAccess = access;
        m_pData = MapViewOfFileEx(m_hMapping, access, High(offset), Low(offset), size, NULL);
        if (m_pData != NULL)
            return S_OK;
        HRESULT hr = AtlHresultFromLastError();
        CloseHandle(m_hMapping);
        m_hMapping = NULL;
        return hr;
    }

    void *m_pData;
    SIZE_T m_nMappingSize;
    HANDLE m_hMapping;
    ULONGLONG m_nOffset;
    DWORD m_dwViewDesiredAccess;
};

/* The same with a typed address. T is plain data without pointers: it is neither constructed
 * nor destroyed, and another process sees it at another address. */
template <typename T = char>
class CAtlFileMapping : public CAtlFileMappingBase {
public:
    operator T *() const TRANSOM_NOTHROW
    {
        return static_cast<T *>(GetData());
    }
};

} // namespace ATL

#endif
