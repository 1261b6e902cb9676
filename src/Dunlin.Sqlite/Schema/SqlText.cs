using Dunlin.Relational.Sql;

namespace Dunlin.Sqlite.Schema;

/// <summary>A statement that only this store runs, from the embedded file <c>{name}.sql</c>.</summary>
internal sealed class SqlText(string name) : SqlFile(typeof(SqlText).Assembly, $"Dunlin.Sqlite.Sql.{name}.sql");
