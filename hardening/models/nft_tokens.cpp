// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/nft_tokens.h"

namespace hostward::hardening {

namespace {

constexpr std::string_view kSingle = "{};,=!<>()";

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::vector<NftToken> scan()
    {
        while (at_ < text_.size()) {
            step();
        }
        return std::move(found_);
    }

private:
    void step()
    {
        const char c = text_[at_];
        if (c == '\n') {
            put(";");
            ++line_;
            ++at_;
        } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
            at_ += 2;
            ++line_;
        } else if (c == '#') {
            const auto end = text_.find('\n', at_);
            at_ = end == text_.npos ? text_.size() : end;
        } else if (c == '"') {
            quoted();
        } else if (c == ' ' || c == '\t' || c == '\r') {
            ++at_;
        } else if (kSingle.find(c) != kSingle.npos) {
            operator_word(c);
        } else {
            word();
        }
    }

    void put(std::string text, bool is_quoted = false) { found_.push_back({std::move(text), line_, is_quoted}); }

    void quoted()
    {
        const auto end = text_.find_first_of("\"\n", at_ + 1);
        const auto stop = end == text_.npos ? text_.size() : end;
        put(std::string(text_.substr(at_ + 1, stop - at_ - 1)), true);
        at_ = stop + (stop < text_.size() && text_[stop] == '"' ? 1 : 0);
    }

    void operator_word(char c)
    {
        const bool is_compared = c == '=' || c == '!' || c == '<' || c == '>';
        const bool is_double = is_compared && at_ + 1 < text_.size() && text_[at_ + 1] == '=';
        put(std::string(text_.substr(at_, is_double ? 2 : 1)));
        at_ += is_double ? 2 : 1;
    }

    void word()
    {
        const auto end = text_.find_first_of(" \t\r\n\"#{};,=!<>()", at_);
        std::string text(text_.substr(at_, end == text_.npos ? end : end - at_));
        at_ += text.size();
        // `established: accept`; an address may end in `::`.
        const bool has_colon = text.size() > 1 && text.ends_with(':') && !text.ends_with("::");
        if (has_colon) {
            text.pop_back();
        }
        put(std::move(text));
        if (has_colon) {
            put(":");
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::vector<NftToken> found_;
};

} // namespace

std::vector<NftToken> nft_tokens(std::string_view text) { return Scanner(text).scan(); }

} // namespace hostward::hardening
