/* What C++ programs may rely on beyond C: atomic operations on DWORD and long, HRESULTs in
 * constant expressions, inclusion inside extern "C", and the ATL mapping class. It is
 * compiled, not run. */
extern "C" {
#include <windows.h>
}
#include <atlfile.h>
#include <algorithm>
#include <string>

static volatile DWORD counter;
static volatile LONG signed_counter;
static volatile long wide_counter;

struct Board {
    LONG hits;
    char last[32];
};

static int label(HRESULT hr)
{
    switch (hr) {
    case HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND):
        return 2;
    default:
        return std::max(1, std::min<int>(hr, 5));
    }
}

int main()
{
    InterlockedIncrement(&counter);
    InterlockedExchange(&counter, 5);
    InterlockedCompareExchange(&counter, 1u, 5u);
    InterlockedIncrement(&signed_counter);
    InterlockedExchangeAdd(&wide_counter, 2);

    CAtlFileMapping<Board> shared;
    BOOL existed = FALSE;
    try {
        HRESULT hr = shared.MapSharedMem(sizeof(Board), TEXT("board"), &existed);
        if (FAILED(hr))
            return label(hr);
        CAtlFileMapping<Board> copy(shared), other;
        other = copy;
        Board *board = other;
        InterlockedIncrement(&board->hits);
    } catch (const ATL::CAtlException &error) {
        return label(error);
    }
    return shared.GetHandle() == NULL || shared.GetMappingSize() == 0;
}
