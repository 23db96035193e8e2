//! The macros that make a contract: entry points with their ABI, events, errors, structs, other contracts.
//!
//! What they declare goes, as text, into the module's custom section `cvm.abi`; the build reads it there and takes it off.

/// A contract's functions.
///
/// Each function is external, under its camelCase name. Attributes: `#[view]`, `#[pure]`, `#[payable]`,
/// `#[constructor]`, `#[fallback]`, `#[receive]`, `#[name = "tokenURI"]`. A function that is not payable refuses wei.
#[macro_export]
macro_rules! contract {
    ($(
        $(#[$($meta:tt)*])*
        fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    )*) => {
        $(
            #[inline(always)]
            fn $name($($arg: $type),*) $(-> $result)? $body

            const _: () = {
                const TEXT: $crate::internal::Text = $crate::internal::declaration(
                    $crate::internal::KINDS[$crate::contract!(@kind $([$($meta)*])*)],
                    $crate::contract!(@name $name $([$($meta)*])*),
                    $crate::internal::Text::new("(")
                        $(.comma(", ").and(&<$type as $crate::Abi>::TEXT).then(" ").name(stringify!($arg)))*
                        .then(")"),
                    $crate::internal::WORDS[$crate::contract!(@word $([$($meta)*])*)],
                    $crate::internal::results::<$crate::contract!(@result $($result)?)>(),
                );
                $crate::declare!(TEXT);
            };
        )*

        /// Whether some function takes wei; if none does, all refuse it in one place.
        const PAYABLE: bool = false $(|| $crate::contract!(@word $([$($meta)*])*) == $crate::internal::PAYABLE)*;

        #[cfg_attr(target_arch = "wasm32", export_name = "call")]
        #[allow(unused_mut, unused_variables, unreachable_code, clippy::all)]
        pub extern "C" fn contractvm_call() {
            let input = $crate::Input::read();
            let (selector, arguments) = $crate::Input::selector(input);
            if !PAYABLE {
                $crate::internal::not_payable()
            }
            $({
                const KIND: usize = $crate::contract!(@kind $([$($meta)*])*);
                const PAID: bool = $crate::contract!(@word $([$($meta)*])*) == $crate::internal::PAYABLE;
                const SELECTOR: u32 = $crate::contract!(@name $name $([$($meta)*])*)
                    .then("(")$(.comma(",").and(&<$type as $crate::Abi>::NAME))*.then(")")
                    .selector();
                if KIND == $crate::internal::FUNCTION && selector == SELECTOR && input.len() >= 4
                    || KIND == $crate::internal::RECEIVE && input.is_empty()
                {
                    if PAYABLE && !PAID {
                        $crate::internal::not_payable()
                    }
                    let mut reader = $crate::Reader::new(arguments);
                    $crate::internal::answer($name($(reader.take::<$type>()),*))
                }
            })*
            $({
                const KIND: usize = $crate::contract!(@kind $([$($meta)*])*);
                const PAID: bool = $crate::contract!(@word $([$($meta)*])*) == $crate::internal::PAYABLE;
                if KIND == $crate::internal::FALLBACK {
                    if PAYABLE && !PAID {
                        $crate::internal::not_payable()
                    }
                    let mut reader = $crate::Reader::new(input);
                    $crate::internal::answer($name($(reader.take::<$type>()),*))
                }
            })*
            $crate::revert("unknown function")
        }

        #[cfg_attr(target_arch = "wasm32", export_name = "deploy")]
        #[allow(unused_mut, unused_variables, unreachable_code, clippy::all)]
        pub extern "C" fn contractvm_deploy() {
            $({
                const KIND: usize = $crate::contract!(@kind $([$($meta)*])*);
                const PAID: bool = $crate::contract!(@word $([$($meta)*])*) == $crate::internal::PAYABLE;
                if KIND == $crate::internal::CONSTRUCTOR {
                    if !PAID {
                        $crate::internal::not_payable()
                    }
                    let mut reader = $crate::Reader::new($crate::Input::read());
                    $name($(reader.take::<$type>()),*);
                    return;
                }
            })*
            $crate::internal::not_payable()
        }
    };

    (@result) => { () };
    (@result $result:ty) => { $result };

    (@name $name:ident) => { $crate::internal::Text::new("").name(stringify!($name)) };
    (@name $name:ident [name = $given:literal] $($rest:tt)*) => { $crate::internal::Text::new($given) };
    (@name $name:ident $other:tt $($rest:tt)*) => { $crate::contract!(@name $name $($rest)*) };

    (@kind) => { $crate::internal::FUNCTION };
    (@kind [constructor] $($rest:tt)*) => { $crate::internal::CONSTRUCTOR };
    (@kind [fallback] $($rest:tt)*) => { $crate::internal::FALLBACK };
    (@kind [receive] $($rest:tt)*) => { $crate::internal::RECEIVE };
    (@kind $other:tt $($rest:tt)*) => { $crate::contract!(@kind $($rest)*) };

    (@word) => { $crate::internal::NONPAYABLE };
    (@word [view] $($rest:tt)*) => { $crate::internal::VIEW };
    (@word [pure] $($rest:tt)*) => { $crate::internal::PURE };
    (@word [payable] $($rest:tt)*) => { $crate::internal::PAYABLE };
    (@word [constructor] $($rest:tt)*) => { $crate::contract!(@word $($rest)*) };
    (@word [fallback] $($rest:tt)*) => { $crate::contract!(@word $($rest)*) };
    (@word [receive] $($rest:tt)*) => { $crate::contract!(@word $($rest)*) };
    (@word [name = $given:literal] $($rest:tt)*) => { $crate::contract!(@word $($rest)*) };
    (@word [doc = $text:literal] $($rest:tt)*) => { $crate::contract!(@word $($rest)*) };
    (@word [$($other:tt)*] $($rest:tt)*) => {
        compile_error!(concat!("a contract's function cannot be #[", stringify!($($other)*), "]"))
    };
}

/// Puts a line into the section `cvm.abi`.
#[doc(hidden)]
#[macro_export]
macro_rules! declare {
    ($text:expr) => {
        #[used]
        #[cfg_attr(target_arch = "wasm32", link_section = "cvm.abi")]
        static DECLARATION: [u8; $text.size()] = $text.bytes();
    };
}

/// An event: `event! { struct Transfer { #[indexed] from: Address, #[indexed] to: Address, value: U256 } }`, written by
/// `Transfer::emit(&from, &to, &value)`: by reference, because every copy would be code that each call pays for.
#[macro_export]
macro_rules! event {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident {
        $($(#[$mark:ident])? $field:ident: $type:ty),* $(,)?
    }) => {
        $(#[$doc])*
        $visibility struct $name;

        impl $name {
            #[inline(never)]
            $visibility fn emit($($field: &$type),*) {
                const TOPIC: [u8; 32] = $crate::internal::Text::new(stringify!($name)).then("(")
                    $(.comma(",").and(&<$type as $crate::Abi>::NAME))*.then(")").hash();
                const TOPICS: usize = 1 $(+ $crate::event!(@indexed $($mark)?) as usize)*;
                // The first topic lies in the data: code that writes it would be four times as long.
                static mut TOPIC_WORDS: [[u8; 32]; TOPICS] = $crate::internal::topics(TOPIC);
                // SAFETY: a contract has one thread, and nothing else knows the words.
                let topics = unsafe { &mut *core::ptr::addr_of_mut!(TOPIC_WORDS) };
                let (mut at, mut heads, mut tails) = (1, 0, 0);
                $(
                    if $crate::event!(@indexed $($mark)?) {
                        // SAFETY: there is a word for each indexed value.
                        unsafe { $crate::Abi::write_topic($field, topics[at].as_mut_ptr()) };
                        at += 1;
                    } else {
                        heads += <$type as $crate::Abi>::HEAD;
                        tails += $crate::internal::tail_of($field);
                    }
                )*
                let _ = at;
                let mut data = $crate::Encoder::new(heads, tails);
                $(
                    if !$crate::event!(@indexed $($mark)?) {
                        data.put($field);
                    }
                )*
                $crate::internal::log(topics, data.bytes())
            }
        }

        const _: () = {
            const TEXT: $crate::internal::Text = $crate::internal::Text::new("event ").then(stringify!($name)).then("(")
                $(
                    .comma(", ").and(&<$type as $crate::Abi>::TEXT)
                    .then(if $crate::event!(@indexed $($mark)?) { " indexed " } else { " " })
                    .name(stringify!($field))
                )*
                .then(")\n");
            $crate::declare!(TEXT);
        };
    };
    (@indexed) => { false };
    (@indexed indexed) => { true };
}

/// A custom error: `error! { struct TooLate { now: u64 } }`, which ends the call by `TooLate::revert(&now)`.
#[macro_export]
macro_rules! error {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        $visibility struct $name;

        impl $name {
            #[cold]
            #[inline(never)]
            $visibility fn revert($($field: &$type),*) -> ! {
                const SELECTOR: u32 = $crate::internal::Text::new(stringify!($name)).then("(")
                    $(.comma(",").and(&<$type as $crate::Abi>::NAME))*.then(")").selector();
                const HEADS: usize = 0 $(+ <$type as $crate::Abi>::HEAD)*;
                let tails = 0 $(+ $crate::internal::tail_of($field))*;
                #[allow(unused_mut)]
                let mut data = $crate::Encoder::with_selector(SELECTOR, HEADS, tails);
                $(data.put($field);)*
                $crate::refuse(data.bytes())
            }
        }

        const _: () = {
            const TEXT: $crate::internal::Text = $crate::internal::Text::new("error ").then(stringify!($name)).then("(")
                $(.comma(", ").and(&<$type as $crate::Abi>::TEXT).then(" ").name(stringify!($field)))*
                .then(")\n");
            $crate::declare!(TEXT);
        };
    };
}

/// A struct that functions can take and return: `abi_struct! { #[derive(Clone, Copy)] struct Point { x: u64, y: u64 } }`.
#[macro_export]
macro_rules! abi_struct {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        $visibility struct $name { $($visibility $field: $type),+ }

        impl $crate::Abi for $name {
            const NAME: $crate::internal::Text = $crate::internal::Text::new("(")
                $(.comma(",").and(&<$type as $crate::Abi>::NAME))+.then(")");
            const TEXT: $crate::internal::Text = $crate::internal::Text::new("struct ").then(stringify!($name)).then("(")
                $(.comma(", ").and(&<$type as $crate::Abi>::TEXT).then(" ").name(stringify!($field)))+
                .then(")");
            const HEAD: usize = if Self::DYNAMIC { 32 } else { 0 $(+ <$type as $crate::Abi>::HEAD)+ };
            const DYNAMIC: bool = false $(|| <$type as $crate::Abi>::DYNAMIC)+;
            fn read(frame: &'static [u8]) -> Self {
                let mut reader = $crate::Reader::new(frame);
                $name { $($field: reader.take()),+ }
            }
            fn size(&self) -> usize {
                0 $(+ <$type as $crate::Abi>::HEAD + $crate::internal::tail_of(&self.$field))+
            }
            unsafe fn write(&self, at: *mut u8) {
                let mut out = $crate::Encoder::over(at, 0 $(+ <$type as $crate::Abi>::HEAD)+);
                $(out.put(&self.$field);)+
            }
        }
    };
}

/// Another contract: `interface! { struct Token { fn transfer(to: Address, amount: U256) -> bool; } }` gives
/// `Token(address).transfer(to, amount)`, which reverts with the callee's reason. `#[view]` functions cannot change
/// anything.
#[macro_export]
macro_rules! interface {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident { $(
        $(#[$mark:ident])?
        fn $function:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        $visibility struct $name($visibility $crate::Address);

        impl $name { $(
            #[allow(dead_code, unused_mut)]
            $visibility fn $function(&self $(, $arg: $type)*) $(-> $result)? {
                const SELECTOR: u32 = $crate::internal::Text::new("").name(stringify!($function)).then("(")
                    $(.comma(",").and(&<$type as $crate::Abi>::NAME))*.then(")").selector();
                let tails = 0 $(+ $crate::internal::tail_of(&$arg))*;
                let mut data = $crate::Encoder::with_selector(SELECTOR, 0 $(+ <$type as $crate::Abi>::HEAD)*, tails);
                $(data.put(&$arg);)*
                match $crate::interface!(@call $($mark)?)(&self.0, data.bytes()) {
                    Ok(answer) => $crate::internal::result_of(answer),
                    Err(failure) => failure.bubble(),
                }
            }
        )* }
    };
    (@call) => { $crate::call };
    (@call view) => { $crate::static_call };
}
