using System.Net;
using System.Net.Sockets;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Common;

/// <summary>Runs a program and reports errors of configuration and environment in one line, without a stack trace.</summary>
public static class ProgramRun
{
    /// <summary>Runs a command. Writes errors that the user can correct to the standard error.</summary>
    /// <returns>The exit code: 0, or 1 after such an error.</returns>
    public static async Task<int> GuardedAsync(Func<Task> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        try
        {
            await action();
            return 0;
        }
        catch (Exception exception) when (Reason(exception) is { } reason)
        {
            await Console.Error.WriteLineAsync($"dunlin: {reason}");
            return 1;
        }
    }

    /// <summary>
    /// Starts an application and waits until it stops. Checks options and ports first, so that a failed start leaves no database and no key
    /// behind.
    /// </summary>
    /// <param name="app">The application, not started.</param>
    /// <param name="address">The address to listen on.</param>
    /// <param name="port">The port to listen on; 0 for a free port.</param>
    /// <param name="prepare">Creates what the application needs, after the checks.</param>
    /// <exception cref="InvalidOperationException">The server cannot listen on a port.</exception>
    public static async Task ServeAsync(WebApplication app, IPAddress address, int port, Action? prepare = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        Validate(app);
        RequirePort(address, port, "--port");
        if (Telemetry.ScrapeEndpoint(app.Configuration) is { } metrics)
        {
            if (metrics.Port == port && (metrics.Address.Equals(address) || IsAny(metrics.Address) || IsAny(address)))
                throw new InvalidOperationException(
                    $"Dunlin:MetricsAddress '{metrics}' is the address of the server. Choose another port."
                );
            RequirePort(metrics.Address, metrics.Port, "Dunlin:MetricsAddress");
        }
        prepare?.Invoke();
        await app.StartAsync();
        await app.WaitForShutdownAsync();
    }

    /// <summary>Validates the options. The host does the same at its start, but logs a stack trace.</summary>
    /// <exception cref="OptionsValidationException">An option has an invalid value.</exception>
    public static void Validate(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Services.GetService<IStartupValidator>()?.Validate();
    }

    /// <summary>
    /// Stops the host and Kestrel from logging a failed start, because <see cref="GuardedAsync"/> reports it in one line.
    /// </summary>
    internal static void QuietStart(WebApplicationBuilder builder)
    {
        var phase = new StartPhase();
        builder.Services.AddSingleton<IHostedService>(phase);
        foreach (
            var category in (ReadOnlySpan<string>)["Microsoft.Extensions.Hosting.Internal.Host", "Microsoft.AspNetCore.Server.Kestrel"]
        )
            builder.Logging.AddFilter(category, level => level == LogLevel.Warning || (level > LogLevel.Warning && phase.IsOver));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static void RequirePort(IPAddress address, int port, string setting)
    {
        if (port == 0)
            return;
        try
        {
            using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(address, port));
        }
        catch (SocketException exception)
        {
            throw new InvalidOperationException(
                exception.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"Port {port} of {address} is in use by another program. Stop that program, or choose another port with {setting}."
                    : $"The server cannot listen on port {port} of {address}. Choose another address or port with {setting}.",
                exception
            );
        }
    }

    /// <summary>Returns an error of configuration or environment as one line for people.</summary>
    /// <param name="exception">The exception.</param>
    /// <returns>The line; null for an exception that the user cannot correct.</returns>
    public static string? Reason(Exception exception) =>
        exception switch
        {
            OptionsValidationException wrong => Lines(wrong.Failures),
            AggregateException many => Lines(many.InnerExceptions.Select(inner => Reason(inner) ?? inner.Message)),
            InvalidOperationException
            or FormatException
            or ArgumentException
            or IOException
            or UnauthorizedAccessException
            or SocketException
            or System.Data.Common.DbException
            or DunlinException => exception.InnerException is { } cause && exception is InvalidOperationException
                ? $"{exception.Message} ({cause.Message})"
                : exception.Message,
            _ => null,
        };

    private static string Lines(IEnumerable<string> reasons) => string.Join(Environment.NewLine + "dunlin: ", reasons);

    private sealed class StartPhase : IHostedLifecycleService
    {
        private volatile bool _isOver;

        public bool IsOver => _isOver;

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken)
        {
            _isOver = true;
            return Task.CompletedTask;
        }

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
