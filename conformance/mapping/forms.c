/* Other forms of the calls on memory, that take a process; and blocks of heaps. */
#include "../check.h"

int main(void)
{
    WCHAR name[64];
    char id[64];
    HANDLE section, other, heap, self = GetCurrentProcess();
    char *view, *second, *pages, buffer[8];
    MEMORY_BASIC_INFORMATION about;
    SIZE_T count = 0;
    DWORD old = 0;
    char *block, *grown;
    HLOCAL local;

    widen(named(id, "forms"), name);
    CREATED("create", section, CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100000, id));
    CREATED("create_wide", other, CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100000, name));
    CloseHandle(other);
    MADE("open_wide", other, OpenFileMappingW(FILE_MAP_READ, FALSE, name));
    MADE("view", view, MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, NULL));
    MADE("second", second, MapViewOfFile(other, FILE_MAP_READ, 0, 65536, 0));
    view[65536] = 77;
    VALUE("same_memory", second[0]);
    CloseHandle(other);
    UnmapViewOfFile(second);

    /* A process by its handle. */
    VALUE("query_ex", VirtualQueryEx(self, view, &about, sizeof about) == sizeof about && about.RegionSize == 102400);
    MADE("alloc_ex", pages, VirtualAllocEx(self, NULL, 10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    strcpy(pages, "abcdefg");
    TRUTH("read_process", ReadProcessMemory(self, pages, buffer, 8, &count));
    VALUE("count_read", count);
    text("was_read", buffer);
    TRUTH("write_process", WriteProcessMemory(self, pages, "ABCDEFG", 8, &count));
    text("was_written", pages);
    TRUTH("read_no_process", ReadProcessMemory(NULL, pages, buffer, 8, &count));
    TRUTH("protect_ex", VirtualProtectEx(self, pages, 4096, PAGE_READONLY, &old));
    VALUE("old_protection", old);
    TRUTH("lock", VirtualLock(pages, 4096));
    TRUTH("unlock", VirtualUnlock(pages, 4096));
    TRUTH("free_ex", VirtualFreeEx(self, pages, 0, MEM_RELEASE));
    TRUTH("unmap", UnmapViewOfFile(view));
    CloseHandle(section);

    /* Local blocks. */
    local = LocalAlloc(LMEM_MOVEABLE | LMEM_ZEROINIT, 10);
    MADE("local_lock", block, LocalLock(local));
    VALUE("local_size", LocalSize(local));
    strcpy(block, "123456789");
    SetLastError(0xBEEF);
    VALUE("local_unlock", LocalUnlock(local));
    VALUE("local_unlocked", GetLastError());
    MADE("local_realloc", local, LocalReAlloc(local, 5000, LMEM_MOVEABLE));
    VALUE("local_bigger", LocalSize(local));
    block = LocalLock(local);
    text("local_kept", block);
    LocalUnlock(local);
    VALUE("local_free", LocalFree(local) == NULL);

    /* A heap of one's own. */
    MADE("heap", heap, HeapCreate(0, 0, 0));
    MADE("heap_alloc", block, HeapAlloc(heap, HEAP_ZERO_MEMORY, 100));
    VALUE("heap_zero", block[99]);
    strcpy(block, "kept");
    MADE("heap_realloc", grown, HeapReAlloc(heap, 0, block, 100000));
    text("heap_kept", grown);
    VALUE("heap_size", HeapSize(heap, 0, grown));
    VALUE("heap_validate", HeapValidate(heap, 0, NULL));
    VALUE("heap_free", HeapFree(heap, 0, grown));
    HeapAlloc(heap, 0, 10);
    VALUE("heap_destroy", HeapDestroy(heap));
    return 0;
}
