# SPDX-License-Identifier: Apache-2.0
"""Prints what cloud-init's EC2 data source crawls, as JSON. Runs with the unpacked package on PYTHONPATH only.

Usage: python3 -S cloud_init_crawl.py FOLDER URL...
"""
import json
import sys

from cloudinit import helpers
from cloudinit.sources import DataSourceEc2 as ec2

MAX_WAIT_S = 3
TIMEOUT_S = 1


def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def main():
    folder, *urls = sys.argv[1:]
    # As /etc/cloud/cloud.cfg.d would set it: the real defaults wait two minutes for an absent service.
    config = {"datasource": {"Ec2": {"metadata_urls": urls, "max_wait": MAX_WAIT_S, "timeout": TIMEOUT_S}}}
    source = ec2.DataSourceEc2(config, None, helpers.Paths({"cloud_dir": folder, "run_dir": folder}))
    # What cloud-init concludes from the firmware of an instance, which this machine need not have.
    source._cloud_name = ec2.CloudNames.AWS
    json.dump(source.crawl_metadata(), sys.stdout, default=text)


main()
