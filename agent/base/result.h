// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Everything that can fail returns one; nothing throws across a module.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace hostward {

/// What kind of failure it is, for exit codes and for callers that react. The text is for people.
enum class ErrorKind {
    Invalid,     ///< outside input is wrong: configuration, arguments
    NotFound,    ///< something named does not exist
    Denied,      ///< the kernel or a policy refused us
    Unsupported, ///< this kernel or host lacks something
    Exhausted,   ///< a named bound is full
    Conflict,    ///< the state found does not allow it (another instance, other version)
    System,      ///< a system call failed otherwise
};

struct Error {
    ErrorKind kind = ErrorKind::System;
    int error_number = 0; ///< errno, 0 where none applies
    std::string text;     ///< one sentence: what was tried, on which object, why not

    /// The same error with what we were doing put before it.
    [[nodiscard]] Error in(std::string context) const
    {
        return Error{kind, error_number, std::move(context) + ": " + text};
    }
};

/// Error from an errno: `what: strerror`. The kind follows from the number.
[[nodiscard]] Error system_error(int error_number, const std::string& what);
[[nodiscard]] inline Error invalid_error(std::string text) { return Error{ErrorKind::Invalid, 0, std::move(text)}; }

struct Unit {};

template <typename T = Unit> class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    /// The value. Calling it on an error is our own bug and ends the process.
    [[nodiscard]] T& value()
    {
        require(ok());
        return std::get<0>(state_);
    }
    [[nodiscard]] const T& value() const
    {
        require(ok());
        return std::get<0>(state_);
    }
    [[nodiscard]] T take() { return std::move(value()); }
    [[nodiscard]] const Error& error() const
    {
        require(!ok());
        return std::get<1>(state_);
    }

    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

private:
    static void require(bool condition)
    {
        if (!condition) {
            std::abort();
        }
    }
    std::variant<T, Error> state_;
};

using Status = Result<Unit>;
[[nodiscard]] inline Status success() { return Status(Unit{}); }

} // namespace hostward

#define HOSTWARD_CONCAT_(a, b) a##b
#define HOSTWARD_CONCAT(a, b) HOSTWARD_CONCAT_(a, b)

/// TRY(call): returns the error from the enclosing function, otherwise goes on (value dropped).
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        auto try_result = (expression);                                                                                \
        if (!try_result.ok()) {                                                                                        \
            return try_result.error();                                                                                 \
        }                                                                                                              \
    } while (false)

/// TRY_ASSIGN(auto x, call): x is the value, or the enclosing function returns the error.
#define TRY_ASSIGN(declaration, expression)                                                                            \
    auto HOSTWARD_CONCAT(try_result_, __LINE__) = (expression);                                                        \
    if (!HOSTWARD_CONCAT(try_result_, __LINE__).ok()) {                                                                \
        return HOSTWARD_CONCAT(try_result_, __LINE__).error();                                                         \
    }                                                                                                                  \
    declaration = HOSTWARD_CONCAT(try_result_, __LINE__).take()
