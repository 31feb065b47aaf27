//! A picture of a report: a panel per group of figures, a bar per figure, on logarithmic axes.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use transom_bench::{Error, Figure, Report, Result, Side, Unit};

/// Pixels.
const WIDTH: u32 = 1000;
const NAMES: u32 = 230;
const VALUES: u32 = 90;
const TITLE: u32 = 26;
const BAR: u32 = 20;
const AXIS: u32 = 34;
const HEADING: u32 = 60;

const OURS: RGBColor = RGBColor(208, 73, 20);
const PEER: RGBColor = RGBColor(92, 128, 172);
const FLOOR: RGBColor = RGBColor(150, 154, 160);
const GRID: RGBColor = RGBColor(222, 224, 228);

/// What is in one unit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Time,
    Bandwidth,
    Rate,
}

impl Dimension {
    fn of(figure: &Figure) -> Dimension {
        match figure.unit {
            Unit::Nanoseconds | Unit::Microseconds => Dimension::Time,
            Unit::Bandwidth(_) => Dimension::Bandwidth,
            Unit::Rate => Dimension::Rate,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Dimension::Time => "µs, logarithmic, less is better",
            Dimension::Bandwidth => "GB/s, logarithmic, more is better",
            Dimension::Rate => "million a second, logarithmic, more is better",
        }
    }
}

/// A figure's value, times in microseconds.
fn value(figure: &Figure) -> f64 {
    if figure.unit == Unit::Nanoseconds { figure.median / 1e3 } else { figure.median }
}

struct Panel<'a> {
    title: String,
    /// The best first.
    figures: Vec<&'a Figure>,
}

impl Panel<'_> {
    fn height(&self) -> u32 {
        TITLE + BAR * self.figures.len() as u32 + AXIS
    }

    /// Powers of ten around all values.
    fn range(&self) -> (f64, f64) {
        let values = || self.figures.iter().map(|figure| value(figure));
        let low = values().fold(f64::INFINITY, f64::min).max(1e-4).log10().floor();
        let high = values().fold(0.0, f64::max).max(1e-3).log10().ceil();
        // A bar of the lowest value has to be seen.
        (10_f64.powf(low) / 2.0, 10_f64.powf(high.max(low + 1.0)))
    }
}

/// Groups in the report's order; what belongs to none is one more. Floors stand among what they are held
/// against.
fn panels(report: &Report) -> Vec<Panel<'_>> {
    let mut panels: Vec<Panel<'_>> = Vec::new();
    let mut seen = Vec::new();
    for first in &report.figures {
        let kind = (first.group.as_ref(), Dimension::of(first));
        if seen.contains(&kind) || (kind.0.is_empty() && first.side == Side::Floor) {
            continue;
        }
        seen.push(kind);
        let mut figures: Vec<&Figure> = Vec::new();
        for figure in &report.figures {
            if (figure.group.as_ref(), Dimension::of(figure)) != kind || figure.side == Side::Floor {
                continue;
            }
            figures.push(figure);
            let floors = figure.against.iter().filter_map(|other| report.figure(&other.id));
            for floor in floors.filter(|floor| floor.side == Side::Floor && Dimension::of(floor) == kind.1) {
                if figures.iter().all(|known| known.id != floor.id) {
                    figures.push(floor);
                }
            }
        }
        figures.sort_by(|a, b| value(a).total_cmp(&value(b)));
        if kind.1 != Dimension::Time {
            figures.reverse();
        }
        let title = if kind.0.is_empty() { report.plan } else { kind.0 };
        panels.push(Panel { title: format!("{title} ({})", kind.1.words()), figures });
    }
    panels
}

/// Draws the report into an SVG file.
pub fn draw(report: &Report, file: &Path) -> Result<()> {
    let panels = panels(report);
    let height = HEADING + panels.iter().map(Panel::height).sum::<u32>();
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    paint(&root, report, &panels).map_err(Error::of(&format!("draw {}", file.display())))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn text(size: u32, color: &RGBColor, side: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(color).pos(Pos::new(side, VPos::Center))
}

fn paint(root: &Area<'_>, report: &Report, panels: &[Panel<'_>]) -> Drawn {
    root.fill(&WHITE)?;
    let machine = &report.machine;
    let head = format!("{}, {}; {} rounds, medians", machine.processor, machine.kernel, report.rounds);
    root.draw_text(&head, &text(14, &BLACK, HPos::Left), (12, 18))?;
    let legend = [(OURS, "transom"), (PEER, "others"), (FLOOR, "floor: the least the machine takes")];
    for (index, (color, words)) in legend.into_iter().enumerate() {
        let left = 12 + 110 * index as i32;
        root.draw(&Rectangle::new([(left, 36), (left + 12, 48)], color.filled()))?;
        root.draw_text(words, &text(13, &BLACK, HPos::Left), (left + 18, 42))?;
    }
    let mut rest = root.split_vertically(HEADING).1;
    for panel in panels {
        let (area, below) = rest.split_vertically(panel.height());
        paint_panel(&area, panel)?;
        rest = below;
    }
    root.present()?;
    Ok(())
}

fn paint_panel(area: &Area<'_>, panel: &Panel<'_>) -> Drawn {
    let (low, high) = panel.range();
    let (left, right) = (f64::from(NAMES), f64::from(WIDTH - VALUES));
    let at = |value: f64| {
        let share = (value.max(low) / low).log10() / (high / low).log10();
        (left + share * (right - left)) as i32
    };
    let bottom = (TITLE + BAR * panel.figures.len() as u32) as i32;
    area.draw_text(&panel.title, &text(15, &BLACK, HPos::Left), (12, 14))?;
    let mut tick = low * 2.0;
    while tick <= high * 1.001 {
        let x = at(tick);
        area.draw(&PathElement::new([(x, TITLE as i32), (x, bottom)], GRID))?;
        area.draw_text(&shown(tick), &text(12, &FLOOR, HPos::Center), (x, bottom + 9))?;
        tick *= 10.0;
    }
    for (index, figure) in panel.figures.iter().enumerate() {
        let top = (TITLE + BAR * index as u32) as i32;
        let (middle, end) = (top + BAR as i32 / 2, at(value(figure)));
        let color = match figure.side {
            Side::Ours => OURS,
            Side::Peer => PEER,
            Side::Floor => FLOOR,
        };
        // A floor says more of itself than there is room for.
        let name = match figure.side {
            Side::Floor => figure.what.split([',', ':']).next().unwrap_or_default(),
            Side::Ours | Side::Peer => figure.what.as_ref(),
        };
        area.draw_text(name, &text(13, &BLACK, HPos::Right), (NAMES as i32 - 8, middle))?;
        let corners = [(NAMES as i32, top + 3), (end, top + BAR as i32 - 3)];
        area.draw(&Rectangle::new(corners, color.filled()))?;
        area.draw_text(&shown(value(figure)), &text(12, &BLACK, HPos::Left), (end + 6, middle))?;
    }
    Ok(())
}

/// Two digits that count.
fn shown(value: f64) -> String {
    match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        value if value >= 0.1 => format!("{value:.2}").trim_end_matches('0').to_owned(),
        value => format!("{value:.4}").trim_end_matches('0').to_owned(),
    }
}
