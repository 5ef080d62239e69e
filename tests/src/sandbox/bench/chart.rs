//! Small charts in a grid, as SVG. Both axes are logarithmic: what grows in proportion is a
//! straight line that rises by one in one.

use std::fmt::Write as _;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 30.0;
const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 28.0;

/// One chart: a line through points, all above zero, in order.
pub(super) struct Line {
    /// What stands above it.
    pub(super) title: String,
    /// Its points.
    pub(super) points: Vec<(f64, f64)>,
}

/// The whole tens, hundreds and so on around some numbers, as powers.
fn powers(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = numbers
        .clone()
        .fold(f64::INFINITY, f64::min)
        .log10()
        .floor();
    let most = numbers.fold(0.0, f64::max).log10().ceil();
    (least, most.max(least + 1.0))
}

fn shown(number: f64) -> String {
    if number >= 1.0 {
        format!("{number:.0}")
    } else {
        format!("{number}")
    }
}

/// The charts, a row of the grid for each row.
pub(super) fn grid(rows: &[Vec<Line>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (mut x, mut y) = (0.0, 0.0);
    let mut drawn = String::new();
    for row in rows {
        for line in row {
            let _ = writeln!(
                drawn,
                "<g transform=\"translate({x} {y})\">{}</g>",
                chart(line)
            );
            x += WIDTH;
        }
        (x, y) = (0.0, y + HEIGHT);
    }
    let width = (0..columns).fold(0.0, |width, _| width + WIDTH);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" \
         font-family=\"sans-serif\" font-size=\"10\">\n\
         <rect width=\"{width}\" height=\"{y}\" fill=\"white\"/>\n{drawn}</svg>\n"
    )
}

fn chart(line: &Line) -> String {
    let (left, right) = powers(line.points.iter().map(|(x, _)| *x));
    let (low, high) = powers(line.points.iter().map(|(_, y)| *y));
    let across = |power: f64| LEFT + (WIDTH - LEFT - RIGHT) * (power - left) / (right - left);
    let up = |power: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (power - low) / (high - low);
    let (bottom, top) = (up(low), up(high));
    let mut text = format!("<text x=\"{LEFT}\" y=\"18\">{}</text>", line.title);
    let mut power = left;
    while power <= right {
        let (x, label) = (across(power), shown(10_f64.powf(power)));
        let _ = write!(
            text,
            "<path d=\"M{x:.1} {bottom:.1}V{top:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 14.0
        );
        power += 1.0;
    }
    power = low;
    while power <= high {
        let (y, label) = (up(power), shown(10_f64.powf(power)));
        let _ = write!(
            text,
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 5.0,
            y + 3.0
        );
        power += 1.0;
    }
    let points = line.points.iter();
    let points: Vec<(f64, f64)> = points
        .map(|(x, y)| (across(x.log10()), up(y.log10())))
        .collect();
    let joined: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = write!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#1f6feb\" stroke-width=\"2\"/>",
        joined.join(" ")
    );
    for (x, y) in points {
        let _ = write!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1f6feb\"/>"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_as_much_is_a_step_of_the_axis() {
        let line = Line {
            title: "calls by names".into(),
            points: vec![(1.0, 10.0), (10.0, 100.0), (100.0, 1_000.0)],
        };
        let drawn = grid(&[vec![line]]);
        assert!(
            drawn.contains("points=\"52.0,192.0 167.0,111.0 282.0,30.0\""),
            "{drawn}"
        );
        for label in [">calls by names<", ">10<", ">100<", ">1000<"] {
            assert!(drawn.contains(label), "{label}: {drawn}");
        }
    }
}
