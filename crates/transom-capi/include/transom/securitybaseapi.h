/* securitybaseapi.h: filling a security descriptor.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Who may open what:
 * docs/mapping.md, M41. Without a descriptor only the creating user may; with a NULL list of
 * rights (DACL) everybody may. Other lists are made from text: sddl.h.
 */
#ifndef TRANSOM_SECURITYBASEAPI_H
#define TRANSOM_SECURITYBASEAPI_H

#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Empties a SECURITY_DESCRIPTOR of the caller, for SECURITY_DESCRIPTOR_REVISION. FALSE with
 * ERROR_UNKNOWN_REVISION for another one. There is nothing to free afterwards. */
TRANSOM_API BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor,
    DWORD dwRevision);

/* Stores a list of rights in a descriptor, by reference; NULL with bDaclPresent TRUE means no
 * restriction, bDaclPresent FALSE the default. FALSE with ERROR_UNKNOWN_REVISION, or
 * ERROR_INVALID_SECURITY_DESCR for one that came from text. */
TRANSOM_API BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pSecurityDescriptor,
    BOOL bDaclPresent, PACL pDacl, BOOL bDaclDefaulted);

/* Ends what ImpersonateNamedPipeClient began; TRUE. */
TRANSOM_API BOOL WINAPI RevertToSelf(void);

#ifdef __cplusplus
}
#endif

#endif
