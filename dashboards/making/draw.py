"""Boards as Grafana's dashboards, through the SDK's builders, in one language."""

from __future__ import annotations

from typing import Any, Protocol

from grafana_foundation_sdk.builders import bargauge, common, dashboard, geomap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

from dashboards.making.board import ALL, Board, Variable, boards, variables
from dashboards.making.influxql import SOURCE_TYPE, SOURCE_UID, InfluxQuery
from dashboards.making.panel import Ask, Colour, Look, Panel
from dashboards.making.words import UNKNOWN, Language, Text

SOURCE = models.DataSourceRef(SOURCE_TYPE, SOURCE_UID)
TAG = "lianfang"
GAZETTEER = "public/build/gazetteer/lianfang.json"
"""Where Grafana serves the places of the map; `lianfang dashboards places` makes it."""
NO_UNIT = ("short", "bool", "")


class _Builder(Protocol):
    """What every panel's builder of the SDK can do, as far as it is used here."""

    def __getattr__(self, name: str) -> Any: ...


def dashboard_of(board: Board, language: Language) -> models.Dashboard:
    """The whole board."""
    made = (
        dashboard.Dashboard(board.title.of(language))
        .uid(board.uid)
        .description(board.about.of(language))
        .tags([TAG])
        .time(f"now-{board.since}", "now")
        .refresh(board.refresh)
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .editable()
    )
    others = dashboard.DashboardLink(Text("other boards", "其他看板").of(language)).type(
        models.DashboardLinkType.DASHBOARDS
    )
    made.link(others.tags([TAG]).as_dropdown(True).include_vars(True).keep_time(True))
    for one in variables(board):
        made.with_variable(_variable(one, language))
    number = 0
    for row in board.rows:
        made.with_row(dashboard.Row(row.title.of(language)).id(number := number + 1))
        for panel in row.panels:
            made.with_panel(_panel(panel, language).id(number := number + 1))
    return made.build()


def all_of(language: Language) -> dict[str, models.Dashboard]:
    """Every board by its uid."""
    return {board.uid: dashboard_of(board, language) for board in boards()}


def _variable(one: Variable, language: Language) -> dashboard.QueryVariable:
    chosen = models.VariableOption(text="All", value="$__all", selected=True)
    return (
        dashboard.QueryVariable(one.name)
        .label(one.title.of(language))
        .query(one.query)
        .datasource(SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(ALL)
        .multi(True)
        .current(chosen)
    )


def _panel(panel: Panel, language: Language) -> Any:
    made: _Builder = LOOKS[panel.look](panel, language)
    made.title(panel.title.of(language)).description(panel.about.of(language)).datasource(SOURCE)
    made.height(panel.height).span(panel.width).no_value(panel.no_value.of(language))
    made.thresholds(_limits(panel)).mappings(_mappings(panel, language))
    if panel.unit not in NO_UNIT:
        made.unit(panel.unit)
    if panel.lately:
        made.time_from(panel.lately).hide_time_override(True)
    for at, ask in enumerate(panel.asks):
        made.with_target(_query(panel, ask, chr(ord("A") + at), language))
    for column, (words, unit) in panel.columns.items():
        properties = [models.DynamicConfigValue("displayName", words.of(language))]
        properties += [models.DynamicConfigValue("unit", unit)] if unit not in NO_UNIT else []
        made.override_by_name(column, properties)
    return made


def _query(panel: Panel, ask: Ask, ref: str, language: Language) -> InfluxQuery:
    alias = ask.alias.of(language) if isinstance(ask.alias, Text) else ask.alias
    return InfluxQuery(ask.query, ref, alias, panel.look in (Look.TABLE, Look.MAP))


def _limits(panel: Panel) -> dashboard.ThresholdsConfig:
    """Below the first limit, and without a value, nothing is said by a colour."""
    steps = [models.Threshold(None, Colour.UNKNOWN.value)]
    steps += [models.Threshold(value, colour.value) for value, colour in panel.limits]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _mappings(panel: Panel, language: Language) -> list[Any]:
    words = panel.no_value.of(language) if panel.quiet else UNKNOWN.of(language)
    unknown = models.ValueMappingResult(text=words, color=Colour.UNKNOWN.value, index=len(panel.words))
    made: list[Any] = []
    if panel.words:
        options = {
            value: models.ValueMappingResult(text=text.of(language), color=colour.value, index=at)
            for at, (value, (text, colour)) in enumerate(panel.words.items())
        }
        made.append(models.ValueMap(options))
    of = models.DashboardSpecialValueMapOptions(models.SpecialValueMatch.NULL_AND_NAN, unknown)
    made.append(models.SpecialValueMap(of))
    return made


def _colours(panel: Panel) -> dashboard.FieldColor:
    by_value = bool(panel.limits or panel.words)
    mode = models.FieldColorModeId.THRESHOLDS if by_value else models.FieldColorModeId.PALETTE_CLASSIC
    return dashboard.FieldColor().mode(mode)


def _reduced() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")


def _stat(panel: Panel, language: Language) -> Any:
    return (
        stat.Panel()
        .color_scheme(_colours(panel))
        .reduce_options(_reduced())
        .color_mode(shapes.BigValueColorMode.BACKGROUND)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .text_mode(shapes.BigValueTextMode.AUTO)
    )


def _timeseries(panel: Panel, language: Language) -> Any:
    made = timeseries.Panel().color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
    made.draw_style(shapes.GraphDrawStyle.BARS if panel.bars else shapes.GraphDrawStyle.LINE)
    made.fill_opacity(60 if panel.bars else 10).show_points(shapes.VisibilityMode.AUTO).axis_soft_min(0)
    made.span_nulls(False)
    made.legend(common.VizLegendOptions().show_legend(True).placement(shapes.LegendPlacement.BOTTOM))
    made.tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
    if panel.stacked:
        made.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if panel.limits:
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    return made


def _table(panel: Panel, language: Language) -> Any:
    cell = shapes.TableColorTextCellOptions() if panel.words or panel.limits else shapes.TableAutoCellOptions()
    return table.Panel().color_scheme(_colours(panel)).show_header(True).filterable(True).cell_options(cell)


def _states(panel: Panel, language: Language) -> Any:
    made = statetimeline.Panel().color_scheme(_colours(panel)).show_value(shapes.VisibilityMode.NEVER)
    made.legend(common.VizLegendOptions().show_legend(True).placement(shapes.LegendPlacement.BOTTOM))
    return made.merge_values(True).fill_opacity(80)


def _bars(panel: Panel, language: Language) -> Any:
    made = bargauge.Panel().color_scheme(_colours(panel)).reduce_options(_reduced())
    made.display_mode(shapes.BarGaugeDisplayMode.BASIC).orientation(shapes.VizOrientation.HORIZONTAL)
    return made.min(0)


def _map(panel: Panel, language: Language) -> Any:
    where = common.FrameGeometrySource().mode(shapes.FrameGeometrySourceMode.LOOKUP).lookup("village")
    marks = common.MapLayerOptions().type("markers").name(panel.title.of(language))
    marks.location(where.gazetteer(GAZETTEER)).tooltip(True)
    style = {
        "size": {"fixed": 12, "min": 6, "max": 24},
        "color": {"field": "worst", "fixed": Colour.UNKNOWN.value},
        "opacity": 0.9,
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "text": {"mode": "field", "field": "village", "fixed": ""},
        "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": 16, "textAlign": "center", "textBaseline": "middle"},
    }
    marks.config({"style": style, "showLegend": False})
    view = geomap.MapViewConfig().id("fit").all_layers(True).padding(20)
    base = common.MapLayerOptions().type("default").name("basemap")
    return geomap.Panel().color_scheme(_colours(panel)).layers([marks]).basemap(base).view(view)


LOOKS = {
    Look.NUMBER: _stat,
    Look.GRAPH: _timeseries,
    Look.TABLE: _table,
    Look.STATES: _states,
    Look.BARS: _bars,
    Look.MAP: _map,
}
