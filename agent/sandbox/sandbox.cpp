// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/sandbox.h"

#include "agent/base/log.h"
#include "agent/sandbox/process.h"

#include <sys/auxv.h>

#include <cstdlib>
#include <string_view>

namespace hostward::sandbox {

namespace {

Status filter(Program program, Enforcement enforcement)
{
    if (enforcement == Enforcement::Log) {
        log_warning("HOSTWARD_SECCOMP=log: forbidden system calls are logged by the kernel and NOT prevented");
    }
    Status confined = confine(program, enforcement);
    if (!confined && confined.error().kind == ErrorKind::Unsupported) {
        log_warning(confined.error().text + ", continuing without");
        return success();
    }
    return confined;
}

} // namespace

Enforcement wanted_enforcement()
{
    const char* wanted = ::getauxval(AT_SECURE) == 0 ? ::getenv("HOSTWARD_SECCOMP") : nullptr;
    return wanted != nullptr && std::string_view(wanted) == "log" ? Enforcement::Log : Enforcement::Kill;
}

Status enter(Program program, Output output, Enforcement enforcement)
{
    keep_memory_private();
    TRY(keep_capabilities(program, output));
    return filter(program, enforcement);
}

} // namespace hostward::sandbox
