//! The world keeps its own rules: where the model were kinder than the platform, the flows' tests would prove nothing.

mod accounts;
mod kv;
mod op;
mod schedule;
mod serving;
