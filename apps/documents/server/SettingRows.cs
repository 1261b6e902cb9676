using System.Data.Common;
using Dapper;
using Dunlin.Journal;

namespace Dunlin.Apps.Documents;

/// <summary>The SQL of the settings that all nodes share.</summary>
internal static class SettingRows
{
    public static Task<string?> FindAsync(DbConnection connection, DbTransaction? transaction, string name) =>
        connection.ExecuteScalarAsync<string?>("SELECT value FROM documents_setting WHERE name = @name", new { name }, transaction);

    public static Task SetAsync(IUnitOfWork unit, string name, string value) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO documents_setting (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = @value",
            new { name, value },
            unit.Transaction
        );
}
