/* sddl.h: security descriptors as text.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Of the lists only what
 * becomes owner, group and everyone has an effect (M41 in docs/mapping.md).
 */
#ifndef TRANSOM_SDDL_H
#define TRANSOM_SDDL_H

#include "minwindef.h"
#include "winnt.h"

#define SDDL_REVISION_1 1
#define SDDL_REVISION SDDL_REVISION_1

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a descriptor of text such as D:(A;;GA;;;WD) and stores its address and, unless the
 * pointer is NULL, its size; end: LocalFree. FALSE on failure: ERROR_INVALID_PARAMETER,
 * ERROR_UNKNOWN_REVISION, ERROR_INVALID_ACL, ERROR_INVALID_SID. */
TRANSOM_API BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorA(LPCSTR StringSecurityDescriptor,
    DWORD StringSDRevision, PSECURITY_DESCRIPTOR *SecurityDescriptor,
    PULONG SecurityDescriptorSize);
TRANSOM_API BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorW(LPCWSTR StringSecurityDescriptor,
    DWORD StringSDRevision, PSECURITY_DESCRIPTOR *SecurityDescriptor,
    PULONG SecurityDescriptorSize);
#define ConvertStringSecurityDescriptorToSecurityDescriptor \
    TRANSOM_AW(ConvertStringSecurityDescriptorToSecurityDescriptor)

#ifdef __cplusplus
}
#endif

#endif
