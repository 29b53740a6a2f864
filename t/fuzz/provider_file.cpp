// A provider's file: it loads into a provider, or is refused with a sentence.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz.hpp"
#include "providers/catalogue.hpp"

using namespace authjs;

static std::string folder() {
    static const struct place {
        std::string path =
            std::filesystem::temp_directory_path() / ("auth_js_fuzz." + std::to_string(getpid()));
        place() { std::filesystem::create_directories(path); }
        ~place() { std::filesystem::remove_all(path); }
    } made;
    return made.path;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    std::ofstream(folder() + "/mine.json", std::ios::binary) << fuzz::text_of(data, size);
    providers::surroundings around;
    around.env = [](std::string_view name) { return std::optional<std::string>(name); };
    around.warn = [](const std::string&, const std::string&) {};
    providers::loader l(around);
    if (const auto wrong = l.add_folder(folder(), "conf:1")) {
        fuzz::demand(!wrong->message.empty(), "a refusal says why");
        return 0;
    }
    providers::declaration d;
    d.id = "mine";
    d.where = "conf:2";
    d.lines = {{"client_id", {"me"}, "conf:3"},
               {"client_secret", {"secret"}, "conf:4"},
               {"issuer", {"https://id.example.com"}, "conf:5"}};
    const auto made = l.declare(d);
    if (made.wrong) return 0;
    if (l.finish()) return 0;
    fuzz::demand(made.made->id == "mine", "a provider is what its file is called");
    return 0;
}
