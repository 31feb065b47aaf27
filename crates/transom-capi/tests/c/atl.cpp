// The mapping class of atlfile.h, rule by rule. Prints the checks that do not hold, and ends with
// their number; the class exists for C++ alone, so there is no output of Windows to compare with.
#include <windows.h>
#include <atlfile.h>
#include <cstdio>
#include <cstring>
#include <string>

static int failures;

static void check(const char *rule, bool holds, const char *what)
{
    if (!holds) {
        std::printf("%s does not hold: %s (last error %u)\n", rule, what, static_cast<unsigned>(GetLastError()));
        failures++;
    }
}

#define CHECK(rule, condition) check(rule, (condition), #condition)

struct Counter {
    LONG hits;
    char last[32];
};

static std::string named(const char *name)
{
    return std::string(name) + "-" + std::to_string(GetCurrentProcessId());
}

// A file with some letters.
static HANDLE file_of(DWORD size, DWORD access)
{
    static const char *const name = "transom-atl.tmp";
    std::string letters(size, 'a');
    DWORD written = 0;
    HANDLE file = CreateFileA(name, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);
    WriteFile(file, letters.data(), size, &written, NULL);
    CloseHandle(file);
    return CreateFileA(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

static void memory()
{
    std::string name = named("atl-memory");
    CAtlFileMapping<Counter> shared, again, third;
    BOOL existed = 5;

    // A12: an empty object unmaps.
    CHECK("A12", shared.Unmap() == S_OK);
    // A5: new shared memory needs a size.
    CHECK("A5", shared.MapSharedMem(0, name.c_str()) == HRESULT_FROM_WIN32(ERROR_INVALID_PARAMETER));
    // A10: written on success only.
    CHECK("A10", again.MapSharedMem(0, name.c_str(), &existed) != S_OK && existed == 5);
    CHECK("A10", shared.MapSharedMem(sizeof(Counter), name.c_str(), &existed) == S_OK && existed == FALSE);
    // A6: zeroed at first.
    Counter *counter = shared;
    CHECK("A6", counter != NULL && counter->hits == 0 && counter->last[31] == 0);
    // A1: an object that maps something refuses.
    CHECK("A1", shared.MapSharedMem(sizeof(Counter), NULL) == E_UNEXPECTED);
    CHECK("A1", shared.OpenMapping(name.c_str(), 0) == E_UNEXPECTED);
    CHECK("A1", static_cast<Counter *>(shared) == counter);
    // A11: the same memory at another address.
    CHECK("A11", again.MapSharedMem(sizeof(Counter), name.c_str(), &existed) == S_OK && existed == TRUE);
    InterlockedIncrement(&counter->hits);
    CHECK("A11", static_cast<Counter *>(again)->hits == 1 && static_cast<Counter *>(again) != counter);
    // A1, A9: a copy of a copy keeps the name while the originals go.
    CHECK("A1", again.CopyFrom(shared) == E_UNEXPECTED);
    {
        CAtlFileMapping<Counter> copy(shared);
        CHECK("A9", copy.GetHandle() != shared.GetHandle() && copy.GetData() != shared.GetData());
        CHECK("A12", shared.Unmap() == S_OK && shared.Unmap() == S_OK && shared.GetData() == NULL);
        again.Unmap();
        CHECK("A9", static_cast<Counter *>(copy)->hits == 1);
        // A8: the name lives with the copy.
        CHECK("A8", third.OpenMapping(name.c_str(), sizeof(Counter)) == S_OK);
        third.Unmap();
    }
    CHECK("A8", third.OpenMapping(name.c_str(), sizeof(Counter)) == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND));
    // A12: an unmapped object can be mapped again.
    CHECK("A12", shared.MapSharedMem(sizeof(Counter), name.c_str(), &existed) == S_OK && existed == FALSE);
    // A6: a larger size fails in the view, and the object is empty again.
    CHECK("A6", again.MapSharedMem(100000, name.c_str()) == HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED));
    CHECK("A6", again.GetData() == NULL && again.GetHandle() == NULL);
    // A5: an opened name with size 0 is mapped whole and says 0.
    CHECK("A5", again.OpenMapping(name.c_str(), 0) == S_OK && again.GetMappingSize() == 0);

    // A7: without a name two memories are two.
    CAtlFileMapping<int> one, two;
    CHECK("A7", one.MapSharedMem(4096, NULL) == S_OK && two.MapSharedMem(4096, NULL) == S_OK);
    static_cast<int *>(one)[0] = 1;
    CHECK("A7", static_cast<int *>(two)[0] == 0);

    // A13: a read-only section refuses a view for writing.
    CAtlFileMapping<char> reader, writer;
    std::string fixed = named("atl-read-only");
    CHECK("A13", reader.MapSharedMem(100, fixed.c_str(), NULL, NULL, PAGE_READONLY, FILE_MAP_READ) == S_OK);
    CHECK("A13", writer.OpenMapping(fixed.c_str(), 100, 0, FILE_MAP_WRITE) == HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED));
}

static void files()
{
    HANDLE file = file_of(100, GENERIC_READ);
    CAtlFileMapping<char> mapping, copy_on_write;
    // A2: a real file handle, which may be closed then.
    CHECK("A2", mapping.MapFile(INVALID_HANDLE_VALUE) == HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE));
    CHECK("A2", mapping.MapFile(NULL) == HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE));
    // A4: for reading only unless asked otherwise.
    CHECK("A4", mapping.MapFile(file, 0, 0, PAGE_READWRITE, FILE_MAP_WRITE) == HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED));
    CHECK("A4", mapping.MapFile(file) == S_OK);
    // A5: the size of the file is recorded.
    CHECK("A5", mapping.GetMappingSize() == 100);
    CHECK("A4", copy_on_write.MapFile(file, 0, 0, PAGE_WRITECOPY, FILE_MAP_COPY) == S_OK);
    CloseHandle(file);
    static_cast<char *>(copy_on_write)[0] = '#';
    CHECK("A4", static_cast<char *>(mapping)[0] == 'a');
    CHECK("A2", static_cast<char *>(mapping)[99] == 'a');
    mapping.Unmap();
    copy_on_write.Unmap();

    // A3: beyond the end only where the file may be written.
    file = file_of(100, GENERIC_READ);
    CHECK("A3", mapping.MapFile(file, 5000) == HRESULT_FROM_WIN32(ERROR_NOT_ENOUGH_MEMORY));
    CloseHandle(file);
    file = file_of(100, GENERIC_READ | GENERIC_WRITE);
    CHECK("A3", mapping.MapFile(file, 5000, 0, PAGE_READWRITE, FILE_MAP_WRITE) == S_OK);
    CHECK("A3", GetFileSize(file, NULL) == 5000 && static_cast<char *>(mapping)[4999] == 0);
    CloseHandle(file);
    mapping.Unmap();
    CHECK("A12", DeleteFileA("transom-atl.tmp") != 0);
}

int main()
{
    memory();
    files();
    return failures;
}
