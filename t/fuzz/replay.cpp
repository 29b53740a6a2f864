// Runs a target over the files and folders named, without libFuzzer: what `make test` does with the
// corpus. A finding aborts after the name of its input was printed.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "fuzz.hpp"

static void replay(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in),
                                  std::istreambuf_iterator<char>()};
    std::fprintf(stderr, "%s\r", file.c_str());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

int main(int argc, char** argv) {
    std::set<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            files.insert(argv[i]);
            continue;
        }
        for (const auto& e : std::filesystem::directory_iterator(argv[i]))
            if (e.is_regular_file()) files.insert(e.path());
    }
    for (const auto& f : files) replay(f);
    std::fprintf(stderr, "\033[K");
    std::printf("%s: %zu inputs replayed\n", std::filesystem::path(argv[0]).filename().c_str(),
                files.size());
    return files.empty() ? 1 : 0;
}
