using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Dunlin.Client;

/// <summary>Reads options from the configuration, without reflection.</summary>
internal static class ClientConfiguration
{
    /// <exception cref="InvalidOperationException">A value has another format. The message names the key.</exception>
    public static void Bind(IConfiguration section, DunlinClientOptions options)
    {
        Set(section, "Address", static text => new Uri(text, UriKind.Absolute), value => options.Address = value);
        Set(section, "Token", static text => text, value => options.Token = value);
        Set(section, "User", static text => text, value => options.User = value);
        Set(section, "Device", static text => text, value => options.Device = value);
        Set(section, "RequestTimeout", Time, value => options.RequestTimeout = value);
        Set(section, "PublishAttempts", Number, value => options.PublishAttempts = value);
        Set(section, "MaxEventBytes", Number, value => options.MaxEventBytes = value);
        Set(section, "FallsBackToLongPoll", bool.Parse, value => options.FallsBackToLongPoll = value);
        Set(section, "HttpVersion", static text => new Version(text), value => options.HttpVersion = value);
        Set(section, "TicketPath", static text => text, value => options.TicketPath = value);
    }

    private static void Set<T>(IConfiguration section, string key, Func<string, T> parse, Action<T> set)
    {
        if (section[key] is not { Length: > 0 } text)
            return;
        try
        {
            set(parse(text));
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            var path = (section as IConfigurationSection)?.Path is { Length: > 0 } parent ? $"{parent}:{key}" : key;
            // The value may be a secret that stands at the wrong key, so the message does not repeat it.
            throw new InvalidOperationException($"The configuration value of '{path}' has the wrong format.", exception);
        }
    }

    private static TimeSpan Time(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture);
}
