"""The WebAssembly machine: table, decoder, validator, tiers. Source: WebAssembly core specification 2.0 with the
extended-const, tail-call and wide-arithmetic proposals, without floats, SIMD and threads."""
