/* Section bits of CreateFileMapping (M12 to M16), and reserved views, which VirtualAlloc
 * commits. */
#include "../check.h"

static void section(const char *label, DWORD protect)
{
    HANDLE mapping;
    CREATED(label, mapping, CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, protect, 0, 65536, NULL));
    CloseHandle(mapping);
}

int main(void)
{
    HANDLE mapping, file;
    char *view, *second, *at;
    MEMORY_BASIC_INFORMATION about;
    DWORD old = 0;

    section("commit", PAGE_READWRITE | SEC_COMMIT);
    section("reserve", PAGE_READWRITE | SEC_RESERVE);
    section("both", PAGE_READWRITE | SEC_COMMIT | SEC_RESERVE);
    section("nocache_alone", PAGE_READWRITE | SEC_NOCACHE);
    section("nocache", PAGE_READWRITE | SEC_COMMIT | SEC_NOCACHE);
    section("nocache_reserved", PAGE_READWRITE | SEC_RESERVE | SEC_NOCACHE);
    section("execute_read", PAGE_EXECUTE_READ);
    section("execute_only", PAGE_EXECUTE);
    section("guard", PAGE_READWRITE | PAGE_GUARD);
    section("two_protections", PAGE_READONLY | PAGE_WRITECOPY);

    file = CreateFileA("tc-flags.tmp", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    WriteFile(file, "not a program", 13, &old, NULL);
    CREATED("image_of_text", mapping, CreateFileMappingA(file, NULL, PAGE_READONLY | SEC_IMAGE, 0, 0, NULL));
    CREATED("reserve_of_file", mapping, CreateFileMappingA(file, NULL, PAGE_READONLY | SEC_RESERVE, 0, 0, NULL));
    CloseHandle(mapping);
    CloseHandle(file);

    MADE("reserved", mapping, CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0, 1 << 20, NULL));
    MADE("view", view, (char *)MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0));
    MADE("second_view", second, (char *)MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0));
    MADE("commit_pages", at, (char *)VirtualAlloc(view + 65536, 8192, MEM_COMMIT, PAGE_READWRITE));
    VALUE("committed_there", at == view + 65536);
    view[65536] = 42;
    VALUE("seen_in_both", second[65536]);
    VALUE("query", VirtualQuery(view + 65536, &about, sizeof about) == sizeof about);
    VALUE("query_base", about.AllocationBase == view);
    VALUE("query_state", about.State == MEM_COMMIT);
    VALUE("query_type", about.Type == MEM_MAPPED);
    VALUE("query_protect", about.Protect);
    TRUTH("decommit_refused", VirtualFree(view + 65536, 8192, MEM_DECOMMIT));
    TRUTH("release_refused", VirtualFree(view, 0, MEM_RELEASE));
    TRUTH("protect", VirtualProtect(view + 65536, 1, PAGE_READONLY, &old));
    VALUE("protected_before", old);
    VALUE("still_readable", view[65536]);
    TRUTH("protect_back", VirtualProtect(view + 65536, 1, PAGE_READWRITE, &old));
    VALUE("protected_between", old);
    TRUTH("unmap", UnmapViewOfFile(view));
    TRUTH("unmap_second", UnmapViewOfFile(second));
    VALUE("query_free", VirtualQuery(second, &about, sizeof about) == sizeof about && about.State == MEM_FREE);

    MADE("private", at, (char *)VirtualAlloc(NULL, 200000, MEM_RESERVE, PAGE_READWRITE));
    VALUE("private_aligned", ((ULONG_PTR)at & 65535) == 0);
    VirtualQuery(at, &about, sizeof about);
    VALUE("private_state", about.State == MEM_RESERVE && about.Type == MEM_PRIVATE);
    VALUE("private_size", about.RegionSize);
    MADE("private_commit", view, (char *)VirtualAlloc(at + 5000, 1, MEM_COMMIT, PAGE_READWRITE));
    VALUE("private_commit_page", view == at + 4096);
    view[0] = 1;
    VirtualQuery(at + 4096, &about, sizeof about);
    VALUE("private_run", about.State == MEM_COMMIT && about.RegionSize == 4096 && about.AllocationBase == at);
    MADE("taken", view, (char *)VirtualAlloc(at, 65536, MEM_RESERVE, PAGE_READWRITE));
    TRUTH("release_inside", VirtualFree(at + 65536, 0, MEM_RELEASE));
    TRUTH("release_with_size", VirtualFree(at, 4096, MEM_RELEASE));
    TRUTH("decommit", VirtualFree(at + 4096, 4096, MEM_DECOMMIT));
    TRUTH("protect_reserved", VirtualProtect(at + 4096, 4096, PAGE_READONLY, &old));
    TRUTH("release", VirtualFree(at, 0, MEM_RELEASE));
    VALUE("release_again", VirtualFree(at, 0, MEM_RELEASE));
    MADE("commit_nothing_reserved", view, (char *)VirtualAlloc(at, 4096, MEM_COMMIT, PAGE_READWRITE));
    MADE("at_once", at, (char *)VirtualAlloc(NULL, 5000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    VALUE("at_once_zero", at[8191]);
    TRUTH("at_once_release", VirtualFree(at, 0, MEM_RELEASE));
    MADE("no_size", at, (char *)VirtualAlloc(NULL, 0, MEM_COMMIT, PAGE_READWRITE));
    MADE("no_kind", at, (char *)VirtualAlloc(NULL, 4096, 0, PAGE_READWRITE));
    MADE("copy_on_write", at, (char *)VirtualAlloc(NULL, 4096, MEM_COMMIT, PAGE_WRITECOPY));
    MADE("bad_protection", at, (char *)VirtualAlloc(NULL, 4096, MEM_COMMIT, 0));
    return 0;
}
