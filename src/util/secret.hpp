// secret: text that wipes itself. It has no operator<< and no implicit conversion, so that it does
// not reach a log by accident; reveal() is the one, greppable, way to the bytes.
#pragma once

#include <string>
#include <string_view>

namespace authjs {

// wipe overwrites the bytes of `text` so that the compiler cannot leave it out, then empties it.
void wipe(std::string& text) noexcept;

class secret {
public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}
    secret(const secret&) = default;
    secret(secret&& other) noexcept : text_(other.text_) { wipe(other.text_); }
    secret& operator=(const secret& other) {
        if (this != &other) {
            wipe(text_);
            text_ = other.text_;
        }
        return *this;
    }
    secret& operator=(secret&& other) noexcept {
        if (this != &other) {
            wipe(text_);
            text_ = other.text_;
            wipe(other.text_);
        }
        return *this;
    }
    ~secret() { wipe(text_); }

    std::string_view reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    bool operator==(const secret&) const = default;

private:
    std::string text_;
};

}  // namespace authjs
