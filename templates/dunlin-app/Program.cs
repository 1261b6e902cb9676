using DunlinApp.Accounts;
using DunlinApp.Tasks;
using Microsoft.EntityFrameworkCore;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddValidation();

// Accounts: ASP.NET Core Identity with EF Core, in a file of its own.
Directory.CreateDirectory("data");
builder.Services.AddDbContext<AccountDb>(options => options.UseSqlite("Data Source=data/accounts.db"));
builder.Services.AddIdentityApiEndpoints<AppUser>().AddEntityFrameworkStores<AccountDb>();
builder.Services.AddAuthorization();

// Tables and events: one file. A change of TaskDb and its event commit in one transaction.
builder.Services.AddDbContext<TaskDb>(options => options.UseSqlite("Data Source=data/app.db"));
builder
    .Services.AddDunlin()
    .AddSqlite("data/app.db")
    .AddSchema("tasks", typeof(TaskDb).Assembly, "DunlinApp.Schema.")
    .UseEntityFramework<TaskDb>()
    .AddAccessPolicy<TaskAccess>("tasks");
builder.Services.AddScoped<TaskService>();
builder.Services.AddHealthChecks().AddDunlin();

var app = builder.Build();
await using (var scope = app.Services.CreateAsyncScope())
    await scope.ServiceProvider.GetRequiredService<AccountDb>().Database.EnsureCreatedAsync();

app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin(); // streams, leases, presence: /dunlin/v1
app.MapDunlinHealth(); // /healthz/live and /healthz/ready
app.MapAccounts(); // /api/accounts/register, login, logout, me
app.MapTasks(); // /api/tasks
app.Run();
