/* interlockedapi.h: atomic operations on plain variables and on memory shared by processes.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Nothing here is
 * exported by the library: each function is a processor instruction or a short loop, and
 * works on shared views as on private memory (M28 in docs/mapping.md).
 *
 * Meaning of the names, for a 32-bit LONG: Increment, Decrement and Add return the new value;
 * Exchange, ExchangeAdd, And, Or and Xor return the old one; CompareExchange(address, new,
 * expected) stores new if *address is expected and always returns what was there before.
 * A number at the end is another width (8, 16, 64 bits; the narrow ones have fewer
 * operations, as on Windows); Pointer is a pointer. All are full barriers; the forms ending
 * in Acquire, Release and NoFence promise what their name says and are full barriers all the
 * same. The variable must be naturally aligned.
 *
 * A counter declared `long` is a LONG on Windows and has 64 bits here: declare it LONG. In
 * C++ the functions are also there for unsigned int, long and unsigned long.
 */
#ifndef TRANSOM_INTERLOCKEDAPI_H
#define TRANSOM_INTERLOCKEDAPI_H

#include "minwindef.h"

/* The operations for one type, in four groups: Windows does not offer every one in every
 * width. */
#define TRANSOM_BITS(suffix, type)                                                                 \
    static __inline__ type InterlockedExchange##suffix(volatile type *address, type value)         \
    {                                                                                              \
        return (type)__atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                        \
    }                                                                                              \
    static __inline__ type InterlockedAnd##suffix(volatile type *address, type value)              \
    {                                                                                              \
        return (type)__atomic_fetch_and(address, value, __ATOMIC_SEQ_CST);                         \
    }                                                                                              \
    static __inline__ type InterlockedOr##suffix(volatile type *address, type value)               \
    {                                                                                              \
        return (type)__atomic_fetch_or(address, value, __ATOMIC_SEQ_CST);                          \
    }                                                                                              \
    static __inline__ type InterlockedXor##suffix(volatile type *address, type value)              \
    {                                                                                              \
        return (type)__atomic_fetch_xor(address, value, __ATOMIC_SEQ_CST);                         \
    }

#define TRANSOM_STEP(suffix, type)                                                                 \
    static __inline__ type InterlockedIncrement##suffix(volatile type *address)                    \
    {                                                                                              \
        return (type)__atomic_add_fetch(address, 1, __ATOMIC_SEQ_CST);                             \
    }                                                                                              \
    static __inline__ type InterlockedDecrement##suffix(volatile type *address)                    \
    {                                                                                              \
        return (type)__atomic_sub_fetch(address, 1, __ATOMIC_SEQ_CST);                             \
    }

#define TRANSOM_ADD(suffix, type)                                                                  \
    static __inline__ type InterlockedAdd##suffix(volatile type *address, type value)              \
    {                                                                                              \
        return (type)__atomic_add_fetch(address, value, __ATOMIC_SEQ_CST);                         \
    }                                                                                              \
    static __inline__ type InterlockedExchangeAdd##suffix(volatile type *address, type value)      \
    {                                                                                              \
        return (type)__atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);                         \
    }

#define TRANSOM_COMPARE(suffix, type)                                                              \
    static __inline__ type InterlockedCompareExchange##suffix(volatile type *address, type value,  \
                                                              type expected)                       \
    {                                                                                              \
        __atomic_compare_exchange_n(address, &expected, value, 0, __ATOMIC_SEQ_CST,                \
                                    __ATOMIC_SEQ_CST);                                             \
        return expected;                                                                           \
    }

#define TRANSOM_INTERLOCKED(suffix, type)                                                          \
    TRANSOM_BITS(suffix, type)                                                                     \
    TRANSOM_STEP(suffix, type)                                                                     \
    TRANSOM_ADD(suffix, type)                                                                      \
    TRANSOM_COMPARE(suffix, type)

/* Plain loads and stores with a stated order, for one type. */
#define TRANSOM_READ_WRITE(suffix, type)                                                           \
    static __inline__ type ReadAcquire##suffix(const volatile type *address)                       \
    {                                                                                              \
        return __atomic_load_n(address, __ATOMIC_ACQUIRE);                                         \
    }                                                                                              \
    static __inline__ type ReadNoFence##suffix(const volatile type *address)                       \
    {                                                                                              \
        return __atomic_load_n(address, __ATOMIC_RELAXED);                                         \
    }                                                                                              \
    static __inline__ void WriteRelease##suffix(volatile type *address, type value)                \
    {                                                                                              \
        __atomic_store_n(address, value, __ATOMIC_RELEASE);                                        \
    }                                                                                              \
    static __inline__ void WriteNoFence##suffix(volatile type *address, type value)                \
    {                                                                                              \
        __atomic_store_n(address, value, __ATOMIC_RELAXED);                                        \
    }

TRANSOM_INTERLOCKED(, LONG)
TRANSOM_BITS(8, CHAR)
TRANSOM_BITS(16, SHORT)
TRANSOM_STEP(16, SHORT)
TRANSOM_COMPARE(16, SHORT)
TRANSOM_INTERLOCKED(64, LONG64)
TRANSOM_READ_WRITE(, LONG)
TRANSOM_READ_WRITE(64, LONG64)

#ifdef __cplusplus
/* Overloads need C++ linkage, also where this header is included inside extern "C". */
extern "C++" {
TRANSOM_INTERLOCKED(, unsigned int)
TRANSOM_INTERLOCKED(, long)
TRANSOM_INTERLOCKED(, unsigned long)
TRANSOM_INTERLOCKED(64, long)
TRANSOM_INTERLOCKED(64, unsigned long)
__extension__ typedef unsigned long long TransomUnsigned64;
TRANSOM_INTERLOCKED(64, TransomUnsigned64)
}
#endif

#undef TRANSOM_INTERLOCKED
#undef TRANSOM_BITS
#undef TRANSOM_STEP
#undef TRANSOM_ADD
#undef TRANSOM_COMPARE
#undef TRANSOM_READ_WRITE

/* The pointer forms. */
static __inline__ PVOID InterlockedExchangePointer(PVOID volatile *address, PVOID value)
{
    return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);
}

static __inline__ PVOID InterlockedCompareExchangePointer(PVOID volatile *address, PVOID value,
                                                             PVOID expected)
{
    __atomic_compare_exchange_n(address, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static __inline__ PVOID ReadPointerAcquire(PVOID const volatile *address)
{
    return __atomic_load_n(address, __ATOMIC_ACQUIRE);
}

static __inline__ PVOID ReadPointerNoFence(PVOID const volatile *address)
{
    return __atomic_load_n(address, __ATOMIC_RELAXED);
}

static __inline__ void WritePointerRelease(PVOID volatile *address, PVOID value)
{
    __atomic_store_n(address, value, __ATOMIC_RELEASE);
}

static __inline__ void WritePointerNoFence(PVOID volatile *address, PVOID value)
{
    __atomic_store_n(address, value, __ATOMIC_RELAXED);
}

/* Sets or clears bit number `bit` (of the 32 or 64 at `address`); returns what it was. */
static __inline__ BOOLEAN InterlockedBitTestAndSet(volatile LONG *address, LONG bit)
{
    LONG mask = (LONG)(1u << (bit & 31));
    return (BOOLEAN)((__atomic_fetch_or(address, mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

static __inline__ BOOLEAN InterlockedBitTestAndReset(volatile LONG *address, LONG bit)
{
    LONG mask = (LONG)(1u << (bit & 31));
    return (BOOLEAN)((__atomic_fetch_and(address, ~mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

static __inline__ BOOLEAN InterlockedBitTestAndSet64(volatile LONG64 *address, LONG64 bit)
{
    LONG64 mask = (LONG64)((ULONG64)1 << (bit & 63));
    return (BOOLEAN)((__atomic_fetch_or(address, mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

static __inline__ BOOLEAN InterlockedBitTestAndReset64(volatile LONG64 *address, LONG64 bit)
{
    LONG64 mask = (LONG64)((ULONG64)1 << (bit & 63));
    return (BOOLEAN)((__atomic_fetch_and(address, ~mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

/* A full barrier for the processor and the compiler. */
static __inline__ void MemoryBarrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Tells the processor that this is a spin loop. */
static __inline__ void YieldProcessor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield" ::: "memory");
#else
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Barriers for the compiler alone. */
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Weaker orders under their own names, and the compiler intrinsics' spelling. */
#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange64
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange64
#define InterlockedCompareExchangePointerAcquire InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease InterlockedCompareExchangePointer
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr InterlockedOr
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor InterlockedXor
#define _InterlockedXor64 InterlockedXor64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset

#endif
