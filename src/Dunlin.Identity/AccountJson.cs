using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;

namespace Dunlin.Identity;

/// <summary>The contracts of signing in.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AccountEndpoints.LoginRequest))]
[JsonSerializable(typeof(AccountEndpoints.LoginAnswer))]
[JsonSerializable(typeof(AccountEndpoints.StatusAnswer))]
internal sealed partial class AccountJson : JsonSerializerContext;
