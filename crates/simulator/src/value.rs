//! Values as small numbers.

use std::cmp::Ordering;

use linchpin_dedalus::hir::Value;
use rustc_hash::FxHashMap;

/// A value in a table: an index into the [`Interner`].
pub(crate) type Symbol = u32;

/// Every value met so far, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    values: Vec<Value>,
    symbols: FxHashMap<Value, Symbol>,
}

impl Interner {
    pub(crate) fn intern(&mut self, value: &Value) -> Symbol {
        if let Some(&symbol) = self.symbols.get(value) {
            return symbol;
        }
        let symbol = Symbol::try_from(self.values.len()).expect("fewer than 2^32 values");
        self.values.push(value.clone());
        self.symbols.insert(value.clone(), symbol);
        symbol
    }

    pub(crate) fn integer(&mut self, integer: i64) -> Symbol {
        self.intern(&Value::Integer(integer))
    }

    pub(crate) fn lookup(&self, value: &Value) -> Option<Symbol> {
        self.symbols.get(value).copied()
    }

    pub(crate) fn value(&self, symbol: Symbol) -> &Value {
        &self.values[symbol as usize]
    }

    /// The order of values: integers by value, strings by bytes.
    pub(crate) fn compare(&self, left: Symbol, right: Symbol) -> Ordering {
        if left == right { Ordering::Equal } else { self.value(left).cmp(self.value(right)) }
    }
}
