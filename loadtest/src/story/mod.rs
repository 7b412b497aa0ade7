//! The working day of French trades companies as a sequence of events. Pure: no I/O, its own clock.
//!
//! A [`Company`] follows from its number. Its day is first planned ([`plan`]: which customer calls when, and what
//! follows from it) and then told ([`tell`]: numbers, names, amounts). Both draw from [`dice`] that depend on the seed,
//! the company and the date alone, so that a company's day is the same however many others there are.
//! [`Day`] merges the companies in the order of the clock.

mod calendar;
mod company;
mod day;
mod dice;
mod plan;
mod tell;
mod words;

pub(crate) use calendar::next_working_day;
pub(crate) use company::Company;
pub(crate) use day::{Day, Moment};
