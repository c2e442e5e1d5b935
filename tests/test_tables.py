"""Tables: schemas are held, files are whole, spreadsheets run nothing."""

import csv
import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengxiang import tables


def test_every_column_has_its_meaning_in_both_languages():
    dictionary = tables.column_dictionary()
    assert not dictionary.duplicated(["table", "column"]).any()
    assert (dictionary["zh"].str.len() > 0).all()
    assert (dictionary["en"].str.len() > 1).all()


def test_a_table_is_checked_against_its_schema():
    good = pa.table({"detail": ["d"], "reason": ["r"], "source_file": ["f"]})
    assert tables.checked("rejected", good).column_names == ["source_file", "reason", "detail"]
    with pytest.raises(ValueError, match=r"rejected: columns \['detail'\]"):
        tables.checked("rejected", good.drop_columns(["detail"]))
    with pytest.raises(ValueError, match=r"rejected\.reason is empty in 1 rows"):
        tables.checked("rejected", good.set_column(1, "reason", pa.array([None], type=pa.string())))
    with pytest.raises(ValueError, match=r"rejected\.reason is empty in 1 rows"):
        tables.checked("rejected", good.set_column(1, "reason", pa.array([None], type=pa.string()).dictionary_encode()))
    for wrong, error in ((["r"], pa.ArrowNotImplementedError), (b"\xff", pa.ArrowInvalid)):
        with pytest.raises(error):
            tables.checked("rejected", good.set_column(1, "reason", pa.array([wrong])))
    assert tables.checked("ledger_counts", pa.table({
        **{n: ["a"] for n in ("source_file", "source_format", "fate", "rule")}, "n_units": pa.array([1], pa.int8()),
        "n_chars": pa.array([2], pa.int32())})).schema.equals(tables.TABLES["ledger_counts"].schema)


@pytest.mark.parametrize(("value", "shown"), [
    ("=1+1", "'=1+1"), ("+86", "'+86"), ("-0.13个百分点", "'-0.13个百分点"), ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=cmd|' /C calc'!A0", "'\t=cmd|' /C calc'!A0"), ("＝1", "'＝1"), ("平稳", "平稳"), ("", ""), (None, None),
    (-0.5, -0.5), (["深圳", "天津"], "深圳;天津"), (["=1"], "'=1"), ("a\x00\x1b[31mb", "a[31mb")])
def test_no_cell_is_a_formula(value, shown):
    assert tables.spreadsheet_text(value) == shown


def test_csv_opens_in_excel_and_reads_back(tmp_path):
    frame = pd.DataFrame({"region": ["深圳", "=HYPERLINK(\"x\")"], "n": [3, -4]})
    tables.write_csv(tmp_path / "t.csv", frame)
    assert (tmp_path / "t.csv").read_bytes() == \
        b"\xef\xbb\xbf" + "region,n\n深圳,3\n\"'=HYPERLINK(\"\"x\"\")\",-4\n".encode()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("before", encoding="utf-8")

    def fail(temporary):
        temporary.write_text("half", encoding="utf-8")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        tables.replace_file(path, fail)
    assert path.read_text(encoding="utf-8") == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["t.txt"]


def test_parquet_is_the_same_bytes_for_the_same_rows(tmp_path):
    table = pa.table({"term": ["白名单", "爆雷"], "n": [1, 2]})
    for name in ("a", "b"):
        tables.write_parquet(tmp_path / f"{name}.parquet", table)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@given(st.lists(st.tuples(st.one_of(st.none(), st.sampled_from(["深圳", "天津", ""])),
                          st.lists(st.sampled_from(["risk", "credit", ""]), max_size=3)), max_size=40),
       st.integers(0, 40), st.sampled_from([None, [], ["region", "themes"]]))
def test_texts_encoded_by_a_dictionary_are_read_back_as_texts(tmp_path_factory, rows, cut, dictionary):
    types = {"region": pa.string(), "themes": pa.list_(pa.string())}
    plain = pa.table({n: pa.array([row[i] for row in rows], type=t) for i, (n, t) in enumerate(types.items())})
    regions = pa.array([*plain["region"].to_pylist(), "nowhere"]).dictionary_encode()[:-1]  # not all of it is used
    coded = pa.concat_tables(plain.set_column(0, "region", [regions])[a:b] for a, b in ((0, cut), (cut, None)))
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    tables.write_parquet(path, coded, dictionary)
    read = pq.read_table(path)
    assert read.equals(plain)
    assert read.schema.equals(plain.schema)


def test_of_columns_whose_values_repeat_each_value_stands_once_in_the_file(tmp_path):
    table = pa.table({"text": ["平稳" * 9] * 99, "themes": [["credit_risk" * 9]] * 99})
    tables.write_parquet(tmp_path / "t.parquet", table, ["text", "themes"])
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0)
    assert [group.column(i).has_dictionary_page for i in range(2)] == [True, True]


def test_an_arrow_table_is_written_as_its_frame_is(tmp_path):
    table = pa.table({"词": ["a,b", 'say "x"', "=1", "", None, "two\nlines", "平稳"], "n": [1, -2, 3, 4, 5, 6, 7],
                      "regions": pa.array([["深圳", "天津"], [], ["=1"], ["a"], ["b"], ["c"], ["d"]])})
    tables.write_csv(tmp_path / "a.csv", table)
    tables.write_csv(tmp_path / "b.csv", table.to_pandas())
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@given(st.lists(st.tuples(st.one_of(st.none(), st.text(st.sampled_from('a,"\n\t\r;=@ 监管\x01'), max_size=6)),
                          st.one_of(st.none(), st.integers(-9, 9))), max_size=12), st.integers(0, 12), st.booleans())
def test_csv_is_what_pythons_own_writer_makes_of_the_cells(tmp_path_factory, rows, cut, is_coded):
    columns = [pa.chunked_array([pa.array([r[i] for r in some], type=kind) for some in (rows[:cut], rows[cut:])])
               for i, kind in enumerate((pa.string(), pa.int64()))]
    if is_coded:
        columns[0] = columns[0].dictionary_encode()
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    tables.write_csv(path, pa.table(dict(zip(("text", "n"), columns, strict=True))))
    expected = io.StringIO()
    writer = csv.writer(expected, lineterminator="\n")
    writer.writerows([("text", "n"), *((tables.spreadsheet_text(t), n) for t, n in rows)])
    assert path.read_bytes() == b"\xef\xbb\xbf" + expected.getvalue().encode()
