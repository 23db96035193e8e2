"""The node's own description: true to the table, whole, and of the form that OpenRPC asks for."""

from __future__ import annotations

from contractvm.node.openrpc import page
from contractvm.node.reference import PAGE, main
from contractvm.node.table import methods
from tests.contractvm.node.local import Local


def test_discover(node: Local) -> None:
    found = node.rpc("rpc.discover")
    assert found["openrpc"] == "1.3.2" and {"title", "version"} <= found["info"].keys()
    names = [method["name"] for method in found["methods"]]
    assert names == sorted(methods()) and len(set(names)) == len(names)
    for method in found["methods"]:
        assert method["summary"].rstrip(")").endswith(".") or "another name" in method["summary"], method["name"]
        assert method["result"].keys() == {"name", "schema"}
        parameters = [parameter["name"] for parameter in method["params"]]
        assert len(set(parameters)) == len(parameters)
        required = [parameter["required"] for parameter in method["params"]]
        assert required == sorted(required, reverse=True), f"{method['name']}: what may be left out stands last"


def test_parameters_may_be_given_by_the_names_it_tells(node: Local) -> None:
    address = "0x" + "11" * 20
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"address":"%s"}}' % address.encode()
    assert node.raw(body)["result"] == "0x0"


def test_modules(node: Local) -> None:
    assert {"eth", "net", "web3", "evm", "anvil", "hardhat", "debug", "cvm", "txpool"} <= node.rpc("rpc_modules").keys()


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(methods()), "run `make docs`"
    assert main(["--check"]) == 0
