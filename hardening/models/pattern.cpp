// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/pattern.h"

#include "agent/base/text.h"

#include <re2/re2.h>

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::int64_t kMemoryBytesMax = std::int64_t{8} << 20;

RE2::Options options_for(Case letters)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(
        RE2::Options::EncodingLatin1); // configuration is bytes: no line may fail to match for its encoding
    options.set_case_sensitive(letters == Case::Exact);
    options.set_max_mem(kMemoryBytesMax);
    return options;
}

} // namespace

struct Pattern::Compiled {
    Compiled(const std::string& text, Case letters) : expression(text, options_for(letters)) {}
    RE2 expression;
};

Result<Pattern> Pattern::compile(const std::string& text, Case letters)
{
    auto compiled = std::make_shared<const Compiled>(text, letters);
    if (!compiled->expression.ok()) {
        return invalid_error("no regular expression: " + quote(text) + ": " + escape(compiled->expression.error()));
    }
    return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view line) const
{
    return compiled_->expression.Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::UNANCHORED,
                                       nullptr, 0);
}

bool Pattern::find(std::string_view line, std::string& group) const
{
    std::array<re2::StringPiece, 2> parts;
    const int wanted = compiled_->expression.NumberOfCapturingGroups() > 0 ? 2 : 1;
    if (!compiled_->expression.Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::UNANCHORED,
                                     parts.data(), wanted)) {
        return false;
    }
    const auto& part = parts.at(static_cast<std::size_t>(wanted) - 1);
    group.assign(part.data() == nullptr ? "" : part.data(), part.size());
    return true;
}

} // namespace hostward::hardening
