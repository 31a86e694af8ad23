// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/systemd_config.h"

#include "hardening/models/conf_files.h"

namespace hostward::hardening {

Result<SystemdConfig> read_systemd_config(const host::Host& host, const std::string& name)
{
    std::vector<ConfFile> files;
    for (const auto& folder : conf_folders("systemd")) {
        TRY_ASSIGN(files, conf_file(host, folder + "/" + name + ".conf"));
        if (!files.empty()) {
            break;
        }
    }
    TRY_ASSIGN(auto drop_ins, conf_files(host, conf_folders("systemd/" + name + ".conf.d"), ".conf"));
    for (auto& file : drop_ins) {
        files.push_back(std::move(file));
    }
    SystemdConfig config;
    for (const auto& file : files) {
        parse_systemd_ini(file.text, file.path, config.ini);
        config.files.push_back(file.path);
    }
    return config;
}

} // namespace hostward::hardening
