//! What must always hold, each by a test that fails if it is broken.
//!
//! The numbers are those of the design. 2 to 4 are also guarded in `capture`, 3
//! in `journeys`, 7 in `secrets`, 10 in `model`.

mod absence;
mod continued;
mod crash;
mod limits;
mod plan;
mod seconds;

/// The names of the rows that were answered.
fn names_of(rows: &serde_json::Value) -> Vec<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["Name"].as_str().unwrap()).collect()
}
