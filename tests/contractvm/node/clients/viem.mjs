// viem 2 on a node: prints the name of each check that held; anything else ends it with an error.
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import * as viem from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const url = process.argv[2];
const { abi, bytecode } = JSON.parse(readFileSync("token.json", "utf8"));
const SUPPLY = 10n ** 24n;
const done = (name) => console.log(name);
const transport = viem.http(url, { batch: true });
const chain = foundry;
const reader = viem.createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 });
const unlocked = viem.createWalletClient({ chain, transport });
const [owner, other] = await unlocked.getAddresses();
const test = viem.createTestClient({ chain, transport, mode: "anvil" });

assert.equal(await reader.getChainId(), 31337);
assert.equal(await reader.getBlockNumber(), 0n);
done("network");

const key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const account = privateKeyToAccount(key);
assert.equal(account.address, owner);
const wallet = viem.createWalletClient({ account, chain, transport });
const deployed = await reader.waitForTransactionReceipt({
  hash: await wallet.deployContract({ abi, bytecode, args: [SUPPLY] }),
});
assert.equal(deployed.status, "success");
const address = deployed.contractAddress;
const token = viem.getContract({ address, abi, client: { public: reader, wallet } });
assert.equal(await token.read.balanceOf([owner]), SUPPLY);
done("deploy");

const told = new Promise((resolve) => {
  const stop = reader.watchContractEvent({ address, abi, eventName: "Transfer", onLogs: (logs) => { stop(); resolve(logs); } });
});
const blocks = new Promise((resolve) => {
  const stop = reader.watchBlocks({ onBlock: (block) => { stop(); resolve(block); } });
});
await new Promise((resolve) => setTimeout(resolve, 300));
const { request, result } = await reader.simulateContract({ account, address, abi, functionName: "transfer", args: [other, 5n] });
assert.equal(result, true);
const receipt = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
assert.equal(receipt.status, "success");
assert.equal(await token.read.balanceOf([other]), 5n);
assert.equal(await token.read.balanceOf([other], { blockNumber: receipt.blockNumber - 1n }), 0n);
done("transfer");

const [log] = await told;
assert.equal(log.args.value, 5n);
assert.equal((await blocks).number > 0n, true);
done("events");

assert.equal((await token.getEvents.Transfer({ to: other }, { fromBlock: 0n })).length, 1);
assert.ok((await token.estimateGas.transfer([other, 1n], { account })) > 21000n);
done("query");

const error = await reader
  .simulateContract({ account: other, address, abi, functionName: "transfer", args: [owner, 100n] })
  .then(() => null, (caught) => caught);
const reverted = error.walk((inner) => inner instanceof viem.ContractFunctionRevertedError);
assert.ok(reverted?.data?.errorName, `the custom error is not decoded: ${error.message}`);
const failed = await reader.waitForTransactionReceipt({
  hash: await unlocked.writeContract({ account: other, address, abi, functionName: "transfer", args: [owner, 100n], gas: 100000n }),
});
assert.equal(failed.status, "reverted");
done("revert");

const legacy = await reader.waitForTransactionReceipt({
  hash: await wallet.sendTransaction({ to: other, value: 1n, type: "legacy" }),
});
assert.equal(legacy.type, "legacy");
assert.ok((await reader.estimateFeesPerGas()).maxFeePerGas > 0n);
assert.ok((await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })).baseFeePerGas.length === 3);
done("fees");

const stranger = "0x00000000000000000000000000000000000000aa";
await test.impersonateAccount({ address: stranger });
await test.setBalance({ address: stranger, value: viem.parseEther("1") });
const acted = await reader.waitForTransactionReceipt({
  hash: await unlocked.sendTransaction({ account: stranger, to: other, value: 1n }),
});
assert.equal(acted.from, stranger);
await test.stopImpersonatingAccount({ address: stranger });
done("impersonation");

const id = await test.snapshot();
const before = await reader.getBlock();
await test.increaseTime({ seconds: 3600 });
await test.mine({ blocks: 2 });
assert.ok((await reader.getBlock()).timestamp >= before.timestamp + 3600n);
await test.setNextBlockTimestamp({ timestamp: before.timestamp + 9999n });
await test.mine({ blocks: 1 });
assert.equal((await reader.getBlock()).timestamp, before.timestamp + 9999n);
await test.revert({ id });
assert.equal((await reader.getBlock()).hash, before.hash);
done("time");

await test.setAutomine(false);
const waiting = await wallet.sendTransaction({ to: other, value: 1n });
assert.equal((await reader.getTransaction({ hash: waiting })).blockNumber, null);
assert.equal((await test.getTxpoolStatus()).pending, 1);
await test.dropTransaction({ hash: waiting });
assert.equal((await test.getTxpoolStatus()).pending, 0);
await test.setAutomine(true);
await test.setNonce({ address: stranger, nonce: 7 });
assert.equal(await reader.getTransactionCount({ address: stranger }), 7);
done("pool");

const proof = await reader.getProof({ address, storageKeys: [viem.pad("0x1")] });
assert.equal(proof.address.toLowerCase(), address);
const many = await Promise.all([...Array(20)].map((_, i) => reader.getBalance({ address: viem.pad(viem.toHex(i), { size: 20 }) })));
assert.equal(many.length, 20);
done("reads");

const signature = await unlocked.signMessage({ account: owner, message: "hello" });
assert.equal(await viem.verifyMessage({ address: owner, message: "hello", signature }), true);
done("signing");

const socket = viem.createPublicClient({ chain, transport: viem.webSocket(url.replace("http", "ws")) });
const head = new Promise((resolve) => {
  const stop = socket.watchBlockNumber({ onBlockNumber: (number) => { stop(); resolve(number); } });
});
await new Promise((resolve) => setTimeout(resolve, 300));
await reader.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ to: other, value: 1n }) });
assert.ok((await head) > 0n);
done("websocket");
process.exit(0);
