using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace DunlinApp.Accounts;

/// <summary>A user of the application.</summary>
public sealed class AppUser : IdentityUser;

/// <summary>The tables of ASP.NET Core Identity.</summary>
public sealed class AccountDb(DbContextOptions<AccountDb> options) : IdentityDbContext<AppUser>(options);
