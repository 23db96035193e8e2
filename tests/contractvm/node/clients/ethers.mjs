// ethers 6 on a node: prints the name of each check that held; anything else ends it with an error.
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { ethers } from "ethers";

const url = process.argv[2];
const { abi, bytecode } = JSON.parse(readFileSync("token.json", "utf8"));
const SUPPLY = 10n ** 24n;
const done = (name) => console.log(name);

// Answers are asked for anew: the test goes back in time.
const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
provider.pollingInterval = 50;
const network = await provider.getNetwork();
assert.equal(network.chainId, 31337n);
done("network");

const signer = await provider.getSigner(0);
const other = await (await provider.getSigner(1)).getAddress();
const factory = new ethers.ContractFactory(abi, bytecode, signer);
const token = await factory.deploy(SUPPLY);
await token.waitForDeployment();
assert.equal(await token.balanceOf(await signer.getAddress()), SUPPLY);
done("deploy");

const seen = new Promise((resolve) => token.once("Transfer", (from, to, value) => resolve([to, value])));
await new Promise((resolve) => setTimeout(resolve, 200));
const receipt = await (await token.transfer(other, 5n)).wait();
assert.equal(receipt.status, 1);
assert.equal(receipt.logs[0].fragment.name, "Transfer");
assert.equal(await token.balanceOf(other), 5n);
assert.equal(await token.balanceOf(other, { blockTag: receipt.blockNumber - 1 }), 0n);
done("transfer");

assert.deepEqual(await seen, [other, 5n]);
done("events");

const found = await token.queryFilter(token.filters.Transfer(null, other), 0, "latest");
assert.equal(found.length, 1);
assert.equal(found[0].args.value, 5n);
done("query");

assert.ok((await token.transfer.estimateGas(other, 1n)) > 21000n);
assert.equal(await token.transfer.staticCall(other, 1n), true);
done("estimate");

const poor = token.connect(await provider.getSigner(3));
const refused = await poor.transfer.staticCall(other, 1n).then(() => null, (caught) => caught);
assert.equal(refused.code, "CALL_EXCEPTION");
assert.ok(refused.revert?.name, `the custom error is not decoded: ${refused.message}`);
const unestimated = await poor.transfer(other, 1n).then(() => null, (caught) => caught);
assert.equal(unestimated.code, "CALL_EXCEPTION");
assert.equal(token.interface.parseError(unestimated.data).name, refused.revert.name);
const failed = await (await poor.transfer(other, 1n, { gasLimit: 100000 })).wait().then(() => null, (e) => e);
assert.equal(failed.code, "CALL_EXCEPTION");
assert.equal(failed.receipt.status, 0);
done("revert");

const wallet = new ethers.NonceManager(ethers.Wallet.createRandom().connect(provider));
const wallets = await wallet.getAddress();
await (await signer.sendTransaction({ to: wallets, value: ethers.parseEther("1") })).wait();
const sent = await Promise.all([1n, 2n, 3n].map((value) => wallet.sendTransaction({ to: other, value })));
await Promise.all(sent.map((tx) => tx.wait()));
assert.equal(await provider.getTransactionCount(wallets), 3);
done("wallet");

const legacy = await (await signer.sendTransaction({ to: other, value: 1n, type: 0 })).wait();
assert.equal(legacy.type, 0);
done("legacy");

assert.ok((await provider.getFeeData()).maxFeePerGas > 0n);
const block = await provider.getBlock("latest", true);
assert.equal(block.prefetchedTransactions.length, 1);
assert.equal(ethers.keccak256(ethers.encodeRlp(["0x01"])), ethers.keccak256("0xc101"));
assert.equal((await provider.getTransaction(legacy.hash)).hash, legacy.hash);
done("blocks");

const signature = await signer.signMessage("hello");
assert.equal(ethers.verifyMessage("hello", signature), await signer.getAddress());
const domain = { name: "x", chainId: 31337n };
const types = { Pay: [{ name: "to", type: "address" }, { name: "value", type: "uint256" }] };
const typed = await signer.signTypedData(domain, types, { to: other, value: 1n });
assert.equal(ethers.verifyTypedData(domain, types, { to: other, value: 1n }, typed), await signer.getAddress());
done("signing");

const stranger = "0x00000000000000000000000000000000000000aa";
await provider.send("hardhat_impersonateAccount", [stranger]);
await provider.send("hardhat_setBalance", [stranger, "0xde0b6b3a7640000"]);
const acting = await provider.getSigner(stranger);
await (await acting.sendTransaction({ to: other, value: 1n })).wait();
assert.equal(await provider.getTransactionCount(stranger), 1);
done("impersonation");

const snapshot = await provider.send("evm_snapshot", []);
const before = await provider.getBlock("latest");
await provider.send("evm_increaseTime", [3600]);
await provider.send("hardhat_mine", ["0x2"]);
assert.ok((await provider.getBlock("latest")).timestamp >= before.timestamp + 3600);
assert.equal(await provider.send("evm_revert", [snapshot]), true);
assert.equal((await provider.getBlock("latest")).hash, before.hash);
done("time");

const socket = new ethers.WebSocketProvider(url.replace("http", "ws"));
const watching = new ethers.Contract(await token.getAddress(), abi, socket);
const told = new Promise((resolve) => watching.on("Transfer", (from, to, value) => resolve(value)));
const height = new Promise((resolve) => socket.on("block", resolve));
await socket.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 200));
await (await token.transfer(other, 9n)).wait();
assert.equal(await told, 9n);
assert.ok((await height) > 0);
await socket.destroy();
done("websocket");

provider.destroy();
